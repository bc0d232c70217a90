import { sqlite } from "@perdure/storage-sqlite";
import { setUp } from "../../../storage-sql/test/children/set-up.ts";

await setUp(sqlite(process.argv[2]!));
