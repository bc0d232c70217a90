import { runSync, type Step, type Steps } from "@perdure/storage-sql";
import { describe, expect, test } from "vitest";
import { query } from "../src/query.ts";
import { runTogether } from "../src/server/run-together.ts";
import type { Wave } from "../src/server/waves.ts";
import { alongside, change, changeAndRow, each, row, rows, together, write } from "../src/steps.ts";

const findNamespace = query((db, args: { name: string }) =>
  db.selectFrom("perdure_namespaces").select("no").where("name", "=", args.name),
);
const deleteNamespace = query((db, args: { name: string }) =>
  db.deleteFrom("perdure_namespaces").where("name", "=", args.name),
);

function* program(names: readonly string[]): Steps<string> {
  const found: (number | undefined)[] = [];
  for (const name of names) found.push((yield* row(findNamespace, { name }))?.no);
  const all = yield* rows(findNamespace, { name: "all" });
  const changed = yield* change(findNamespace, { name: "change" });
  const [deleted, left] = yield* changeAndRow(deleteNamespace, { name: "a" }, findNamespace, { name: "ab" });
  return `${found.join()} ${all.length} ${changed} ${deleted} ${left?.no}`;
}

function execute({ args, want }: Step): unknown {
  const { name } = args as { name: string };
  if (name === "trouble") throw new Error("lost connection");
  if (want === "count") return 3;
  return want === "row" ? { no: name.length } : [{ no: 1 }, { no: 2 }];
}

const nameOf = ({ query: { id }, args }: Step): string =>
  `${id === deleteNamespace.id ? "delete " : ""}${(args as { name: string }).name}`;

/** Runs a program as on a server; answers also what was asked for in each trip, wave by wave. */
async function sideBySide<T>(
  steps: Steps<T>,
): Promise<{ readonly answer: T; readonly trips: readonly string[]; readonly rest: string }> {
  const trips: string[] = [];
  const print = (waves: readonly Wave[]): string => waves.map((wave) => wave.steps.map(nameOf).join("+")).join(" | ");
  const { answer, rest } = await runTogether(steps, async (waves) => {
    trips.push(print(waves));
    return waves.map((wave) => wave.steps.map(execute));
  });
  return { answer, trips, rest: print(rest) };
}

describe("a program", () => {
  test("is the same over a driver that answers at once and over one that answers later", async () => {
    expect(runSync(program(["a", "bcd"]), execute)).toBe("1,3 2 3 3 2");
    expect((await sideBySide(program(["a", "bcd"]))).answer).toBe("1,3 2 3 3 2");
  });

  test("ends with the driver's error", async () => {
    expect(() => runSync(program(["a", "trouble"]), execute)).toThrow("lost connection");
    await expect(sideBySide(program(["trouble"]))).rejects.toThrow("lost connection");
  });
});

describe("programs apart", () => {
  function* lookTwice(name: string): Steps<string> {
    const first = yield* row(findNamespace, { name });
    if (name === "bb") return "gone";
    yield* write(deleteNamespace, { name });
    const second = yield* row(findNamespace, { name: `${name}!` });
    return `${first?.no} ${second?.no}`;
  }

  test("are answered in the order of their elements", async () => {
    const names = ["ccc", "a", "bb"];
    const answers = ["3 4", "1 2", "gone"];
    expect(runSync(each(names, String, lookTwice), execute)).toEqual(answers);
    expect((await sideBySide(each(names, String, lookTwice))).answer).toEqual(answers);
  });

  test("go to a server together, in the order of their keys, each in its own order", async () => {
    const { trips } = await sideBySide(each(["ccc", "a", "bb"], String, lookTwice));
    expect(trips).toEqual(["a+bb+ccc", "delete a+delete ccc | a!+ccc!"]);
  });

  test("with the same key follow each other, and see what was written before", async () => {
    const { trips, answer } = await sideBySide(each(["a", "a"], String, lookTwice));
    expect(trips).toEqual(["a", "delete a | a!", "a", "delete a | a!"]);
    expect(answer).toEqual(["1 2", "1 2"]);
  });

  test("do not overtake what was written before them, nor are they overtaken", async () => {
    const { trips, rest } = await sideBySide(
      (function* () {
        yield* write(deleteNamespace, { name: "before" });
        yield* each(["x", "y"], String, (name) => write(findNamespace, { name }));
        yield* write(deleteNamespace, { name: "after" });
      })(),
    );
    expect(trips).toEqual([]);
    expect(rest).toBe("delete before | x+y | delete after");
  });

  test("may be none", async () => {
    expect((await sideBySide(each([], String, lookTwice))).answer).toEqual([]);
    expect(runSync(each([], String, lookTwice), execute)).toEqual([]);
  });

  test("may be a few different ones, each with its own answer", async () => {
    const few = (): Steps<readonly [string, number]> =>
      together(lookTwice("a"), change(deleteNamespace, { name: "b" }));
    expect(runSync(few(), execute)).toEqual(["1 2", 3]);
    const { trips, answer } = await sideBySide(few());
    expect(trips).toEqual(["a | delete b", "delete a | a!"]);
    expect(answer).toEqual(["1 2", 3]);
  });

  test("can have company, whose question goes with their first", async () => {
    const other = (): Steps<unknown> => row(findNamespace, { name: "time" });
    const order: string[] = [];
    runSync(alongside(lookTwice("a"), other()), (step) => {
      order.push(nameOf(step));
      return execute(step);
    });
    expect(order).toEqual(["time", "a", "delete a", "a!"]);
    const { trips, answer } = await sideBySide(alongside(lookTwice("a"), other()));
    expect(trips).toEqual(["a | time", "delete a | a!"]);
    expect(answer).toBe("1 2");
  });
});
