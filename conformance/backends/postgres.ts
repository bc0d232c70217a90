import { findPostgres } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { postgresSubject, startOwnServer } from "./postgres-subject.ts";

const subject: BackendUnderTest = {
  ...postgresSubject("postgres", import.meta.url, (await findPostgres()).url, "none"),
  startServer: startOwnServer,
};

export default subject;
