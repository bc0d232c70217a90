import { equal } from "../../assert.ts";
import type { CaseContext } from "../../context.ts";
import type { ConformanceCase } from "../../case.ts";

export const crowdCacheCases: readonly ConformanceCase[] = [
  {
    id: "cache.replaced-in-a-crowd",
    level: "L3",
    invariants: ["I12"],
    why: "Checkpoints of one activity meet: each of them stood for a moment, and the one that came last is read.",
    hint: "A replacement that finds the key free writes by an insert, and somebody else's may come first: then it replaces that one.",
    async run(t) {
      const clients = await t.clients(4);
      for (let round = 0; round < 8; round++) {
        const entry = t.make.cacheEntry({ mode: "replace" });
        // The key is free in the first round, and taken in the second.
        for (const turn of ["first", "second"]) {
          const values = clients.map((_, index) => `"${turn} ${index}"`);
          equal(await written(clients, values, entry), values, "each is written, and told its own value");
          const value = (await t.backend.readCache([entry.key]))[0]?.value;
          equal(value !== undefined && values.includes(value), true, "one of them is read");
        }
      }
    },
  },
  {
    id: "cache.expired-in-a-crowd",
    level: "L3",
    invariants: ["I12", "I24"],
    why: "What has expired is in nobody's way, also where it has just been written by somebody else.",
    hint: "An insert that finds the key taken says nothing about whether that entry has expired: look again, and try again.",
    async run(t) {
      const clients = await t.clients(4);
      for (let round = 0; round < 8; round++) {
        const entry = t.make.cacheEntry({ expiresAt: (await t.time.now()) - 1 });
        const values = clients.map((_, index) => `"${index}"`);
        equal(await written(clients, values, entry), values, "none is kept out by one that counts as absent");
      }
    },
  },
];

/** What clients are told that write one key at once; undefined for one whose value was not written. */
async function written(
  clients: Awaited<ReturnType<CaseContext["clients"]>>,
  values: readonly string[],
  entry: ReturnType<CaseContext["make"]["cacheEntry"]>,
): Promise<readonly (string | undefined)[]> {
  const answers = await Promise.all(clients.map((client, at) => client.writeCache([{ ...entry, value: values[at]! }])));
  return answers.flat().map((answer) => (answer.status === "written" ? answer.entry.value : undefined));
}
