import { setImmediate as turn } from "node:timers/promises";
import type { CacheEntry, StorageBackend, WriteCacheResult } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** A purge takes the entries that a run's claims were given with such an answer. */
function purgesEntries(
  honest: StorageBackend,
  isTaken: (status: WriteCacheResult["status"]) => boolean,
): Partial<StorageBackend> {
  const taken = new Set<string>();
  return {
    async writeCache(entries) {
      const answers = await honest.writeCache(entries);
      for (const [index, { owner, key }] of entries.entries()) {
        if (owner !== undefined && isTaken(answers[index]!.status)) taken.add(key);
      }
      return answers;
    },
    async purgeRuns(request) {
      const result = await honest.purgeRuns(request);
      await honest.writeCache([...taken].map((key) => ({ key, value: "", expiresAt: 0, mode: "replace" })));
      return result;
    },
  };
}

export const cacheMutants: readonly Mutant[] = [
  mutant({
    name: "cache-last-writer-wins",
    breaks: "A second writer replaces what the first was told to record.",
    killedBy: ["cache.first-writer-wins", "cache.fifty-writers"],
    plant: () => (honest) => ({
      writeCache: (entries) => honest.writeCache(entries.map((entry) => ({ ...entry, mode: "replace" }))),
    }),
  }),
  mutant({
    name: "cache-expiry-ignored",
    breaks: "Entries stay for ever.",
    killedBy: ["cache.expiry"],
    plant() {
      const last = new Map<string, CacheEntry>();
      return (honest, { namespace }) => ({
        async readCache(keys) {
          const entries = await honest.readCache(keys);
          return entries.map((entry, index) => {
            const name = `${namespace} ${keys[index]}`;
            if (entry !== undefined) last.set(name, entry);
            return last.get(name);
          });
        },
      });
    },
  }),
  mutant({
    name: "cache-expires-too-late",
    breaks: "An entry is still there at the moment at which it expires.",
    killedBy: ["timer.to-the-millisecond"],
    plant: () => (honest) => ({
      writeCache: (entries) =>
        honest.writeCache(
          entries.map((one) => (one.expiresAt === null ? one : { ...one, expiresAt: one.expiresAt + 1 })),
        ),
    }),
  }),
  mutant({
    name: "expired-entry-in-the-way",
    breaks: "An expired entry keeps its key: a new one is never written.",
    killedBy: ["cache.expired-is-overwritten"],
    plant() {
      const first = new Map<string, CacheEntry>();
      return (honest, { namespace }) => ({
        async writeCache(entries) {
          const answers = await honest.writeCache(entries);
          return answers.map((answer, index) => {
            const name = `${namespace} ${entries[index]!.key}`;
            if (answer.status === "lease-lost" || entries[index]!.mode === "replace") return answer;
            first.set(name, first.get(name) ?? answer.entry);
            return first.get(name) === answer.entry ? answer : { status: "kept", entry: first.get(name)! };
          });
        },
      });
    },
  }),
  mutant({
    name: "cache-insert-loses-in-a-crowd",
    breaks: "What is to be replaced, or has expired, is deleted first, and whoever inserts then keeps all others out.",
    killedBy: ["cache.replaced-in-a-crowd", "cache.expired-in-a-crowd"],
    plant() {
      const inserted = new Map<string, CacheEntry>();
      return (honest) => ({
        async writeCache(entries) {
          for (const { key } of entries) inserted.delete(key);
          await turn();
          const answers = await honest.writeCache(entries.filter(({ key }) => !inserted.has(key)));
          const given = answers[Symbol.iterator]();
          return entries.map(({ key }) => {
            const entry = inserted.get(key);
            if (entry !== undefined) return { status: "kept", entry };
            const answer = given.next().value!;
            if (answer.status === "written") inserted.set(key, answer.entry);
            return answer;
          });
        },
      });
    },
  }),
  mutant({
    name: "checkpoints-outlive-their-run",
    breaks: "Purge leaves a run's cache entries.",
    killedBy: ["purge.leaves-nothing", "cache.owned-by-a-run"],
    plant: () => (honest) => ({
      async writeCache(entries) {
        const answers = await honest.writeCache(entries);
        for (const [index, { owner: _, ...entry }] of entries.entries()) {
          if (answers[index]!.status === "written") await honest.writeCache([{ ...entry, mode: "replace" }]);
        }
        return answers;
      },
    }),
  }),
  mutant({
    name: "checkpoints-written-once",
    breaks: "An entry with an owner stays as it was first written.",
    killedBy: ["cache.checkpoint-outlives-its-attempt"],
    plant: () => (honest) => ({
      writeCache: (entries) =>
        honest.writeCache(
          entries.map((entry) => (entry.owner === undefined ? entry : { ...entry, mode: "first" as const })),
        ),
    }),
  }),
  mutant({
    name: "falsy-entries-absent",
    breaks: "An entry whose value is falsy is taken for none.",
    killedBy: ["cache.checkpoint-outlives-its-attempt", "cache.result-shared-across-runs"],
    plant: () => (honest) => ({
      async readCache(keys) {
        const entries = await honest.readCache(keys);
        return entries.map((entry) => (entry !== undefined && JSON.parse(entry.value) ? entry : undefined));
      },
    }),
  }),
  mutant({
    name: "purge-takes-what-others-wrote",
    breaks: "An entry belongs to the run that wrote it first, whoever has written it since.",
    killedBy: ["cache.owned-by-the-last-writer"],
    plant: () => (honest) => purgesEntries(honest, (status) => status === "written"),
  }),
  mutant({
    name: "purge-takes-what-was-looked-at",
    breaks: "An entry belongs to whoever was the last to be told of it.",
    killedBy: ["cache.owned-by-the-last-writer"],
    plant: () => (honest) => purgesEntries(honest, (status) => status === "kept"),
  }),
];
