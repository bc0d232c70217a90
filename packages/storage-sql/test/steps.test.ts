import { runAsync, runSync, type Step, type Steps } from "@perdure/storage-sql";
import { describe, expect, test } from "vitest";
import { query } from "../src/query.ts";
import { change, row, rows } from "../src/steps.ts";

const findNamespace = query((db, args: { name: string }) =>
  db.selectFrom("perdure_namespaces").select("no").where("name", "=", args.name),
);

function* program(names: readonly string[]): Steps<string> {
  const found: (number | undefined)[] = [];
  for (const name of names) found.push((yield* row(findNamespace, { name }))?.no);
  const all = yield* rows(findNamespace, { name: "all" });
  const changed = yield* change(findNamespace, { name: "change" });
  return `${found.join()} ${all.length} ${changed}`;
}

function execute({ args, want }: Step): unknown {
  const { name } = args as { name: string };
  if (name === "trouble") throw new Error("lost connection");
  if (want === "count") return 3;
  return want === "row" ? { no: name.length } : [{ no: 1 }, { no: 2 }];
}

describe("a program", () => {
  test("is the same over a driver that answers at once and over one that answers later", async () => {
    expect(runSync(program(["a", "bcd"]), execute)).toBe("1,3 2 3");
    expect(await runAsync(program(["a", "bcd"]), async (step) => execute(step))).toBe("1,3 2 3");
  });

  test("ends with the driver's error", async () => {
    expect(() => runSync(program(["a", "trouble"]), execute)).toThrow("lost connection");
    await expect(runAsync(program(["trouble"]), async (step) => execute(step))).rejects.toThrow("lost connection");
  });
});
