import { setImmediate as turn } from "node:timers/promises";
import { mutant, type Mutant } from "./mutant.ts";

/** Bugs that nobody looks for: chance finds them, with a model at hand that knows what should have come out. */
export const sequenceMutants: readonly Mutant[] = [
  mutant({
    name: "expiry-outlives-its-entry",
    breaks: "An entry that replaces one with an expiry and has none itself expires when that one would have.",
    killedBy: ["model.sequences"],
    plant() {
      const expiries = new Map<string, number>();
      return (honest, { namespace }) => ({
        async writeCache(entries) {
          const kept = entries.map((entry) => {
            const before = entry.mode === "replace" ? expiries.get(`${namespace} ${entry.key}`) : undefined;
            return { ...entry, expiresAt: entry.expiresAt ?? before ?? null };
          });
          const answers = await honest.writeCache(kept);
          return answers.map((answer, index) => {
            const { key, expiresAt } = entries[index]!;
            if (answer.status !== "written") return answer;
            if (expiresAt !== null) expiries.set(`${namespace} ${key}`, expiresAt);
            return { ...answer, entry: { ...answer.entry, expiresAt } };
          });
        },
      });
    },
  }),
  mutant({
    name: "renewal-read-in-two-steps",
    breaks: "A renewal answers with the messages of one moment and their last number of the moment before.",
    killedBy: ["model.concurrent"],
    plant: () => (honest) => ({
      async renewLeases(claims, leaseMs) {
        const before = await honest.renewLeases(claims, leaseMs);
        await turn();
        const answers = await honest.renewLeases(claims, leaseMs);
        return answers.map((answer, index) => {
          const first = before[index]!;
          return answer.status === "held" && first.status === "held"
            ? { ...answer, inboxLast: first.inboxLast }
            : answer;
        });
      },
    }),
  }),
];
