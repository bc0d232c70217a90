import type { Claim } from "@perdure/core/storage";
import type { CaseId } from "../src/case.ts";
import { clockedMemory, type Margins, type SpoilClient } from "./clocked-memory.ts";
import type { Mutant } from "./mutant.ts";

interface Bug {
  readonly name: string;
  readonly breaks: string;
  readonly killedBy: readonly [CaseId, ...CaseId[]];
  readonly margins?: Partial<Margins>;
  /** As in other mutants: called once for a subject, its answer for each client. */
  plant?(): SpoilClient;
}

function mutant(bug: Bug): Mutant {
  const { name, breaks, killedBy, margins } = bug;
  return { name, breaks, killedBy, make: () => clockedMemory(`mutant ${name}`, margins, bug.plant?.()) };
}

/** Over a memory backend whose clients go by clocks of their own. */
export const clientClockMutants: readonly Mutant[] = [
  mutant({
    name: "lease-judged-without-the-error",
    breaks: "A lease has ended when it has by the clock of the one who looks.",
    killedBy: ["lease.kept-from-a-fast-clock", "lease.taken-by-a-slow-clock"],
    margins: { lease: 0 },
  }),
  mutant({
    name: "timer-judged-without-the-error",
    breaks: "A timer is due when it is by the clock of the one who looks.",
    killedBy: ["timer.not-early-by-a-fast-clock"],
    margins: { timer: 0 },
  }),
  mutant({
    name: "ready-by-the-writers-clock",
    breaks: "What is ready at once is so for whoever's clock has come to the moment of the write.",
    killedBy: ["timer.ready-for-slow-clocks"],
    margins: { ready: 0 },
  }),
  mutant({
    name: "clock-in-place-of-the-epoch",
    breaks: "Whoever's lease has not ended by his own clock may write, whoever has claimed the task since.",
    killedBy: ["fence.clocks-far-off"],
    plant() {
      const leases = new Map<string, number>();
      return (honest, now) => {
        const key = ({ taskId, epoch }: Claim): string => `${taskId} ${epoch}`;
        const newest = async <T extends { readonly claim: Claim }>(one: T): Promise<T> => {
          const epoch = (await honest.getRun(one.claim.runId))?.task?.epoch;
          const lives = (leases.get(key(one.claim)) ?? 0) > now();
          return lives && epoch !== undefined ? { ...one, claim: { ...one.claim, epoch } } : one;
        };
        return {
          async claimTasks(request) {
            const answer = await honest.claimTasks(request);
            for (const { claim, leaseUntil } of answer.tasks) leases.set(key(claim), leaseUntil);
            return answer;
          },
          async commitTasks(commits) {
            return honest.commitTasks(await Promise.all(commits.map(newest)));
          },
        };
      };
    },
  }),
];
