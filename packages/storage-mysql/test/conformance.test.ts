import { describeStorageBackend } from "@perdure/conformance/vitest";
import mysql from "../../../conformance/backends/mysql.ts";

describeStorageBackend(mysql, { kills: 40 });
