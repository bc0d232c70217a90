import { SqlBackend } from "@perdure/storage-sql";
import { findPostgres } from "perdure-servers";
import pg from "pg";
import { measureVerbs } from "../../storage-sql/test/measure-verbs.ts";
import { settingsOf } from "../src/options.ts";
import { partsOf } from "../src/parts.ts";

// Prints what the verbs cost, with and without the shortcuts: `npm run measure -w @perdure/storage-postgres`. No test.

const { url } = await findPostgres();
const schema = `perdure_measure_${process.pid}`;

for (const size of [1, 100]) {
  const { shortcuts: _, ...general } = partsOf(settingsOf({ url, schema }));
  await measureVerbs("general form", new SqlBackend(general), size);
  await measureVerbs("shortcuts", new SqlBackend(partsOf(settingsOf({ url, schema }))), size);
}
const client = new pg.Client(url);
await client.connect();
await client.query(`drop schema ${schema} cascade`);
await client.end();
