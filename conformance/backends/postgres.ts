import { findPostgres } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { postgresSubject } from "./postgres-subject.ts";

const subject: BackendUnderTest = postgresSubject("postgres", import.meta.url, (await findPostgres()).url, "none");

export default subject;
