import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Query, runSync, type Steps } from "@perdure/storage-sql";
import { sqlite } from "@perdure/storage-sqlite";
import { measureVerbs, median } from "../../storage-sql/test/measure-verbs.ts";

// Prints what the verbs cost: `npm run measure -w @perdure/storage-sqlite`. A measurement, not a test.

const directory = mkdtempSync(join(tmpdir(), "perdure-measure-"));

/** What it costs that programs are generators: a step without a database. */
function measureStep(): void {
  const nothing: Query = { id: 0, build: (db) => db.selectFrom("perdure_meta").select("key"), isTransient: true };
  const step = function* (key: string): Steps<unknown> {
    return yield { query: nothing, args: { key, value: "v" }, want: "row" };
  };
  const program = function* (count: number): Steps<number> {
    for (let i = 0; i < count; i++) yield* step("k");
    return count;
  };
  const costs = Array.from({ length: 9 }, () => {
    const startedAt = performance.now();
    runSync(program(200_000), () => undefined);
    return (performance.now() - startedAt) / 0.2;
  });
  console.log(`one step of a program: ${median(costs).toFixed(0)} ns`);
}

measureStep();
for (const size of [1, 100]) {
  await measureVerbs("in memory", sqlite(":memory:"), size);
  for (const synchronous of ["normal", "full"] as const) {
    const path = join(directory, `${synchronous}-${size}.db`);
    await measureVerbs(`file, synchronous=${synchronous}`, sqlite({ path, synchronous }), size);
  }
}
rmSync(directory, { recursive: true });
