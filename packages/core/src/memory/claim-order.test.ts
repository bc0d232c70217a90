import fc from "fast-check";
import { expect, it } from "vitest";
import type { Claim, StorageBackend } from "../storage.ts";
import { claimRequest, newRun, openStorage, runQuery, workflowCommit } from "../../test/port.ts";

const step = fc.oneof(
  fc.record({
    do: fc.constant("create" as const),
    priority: fc.integer({ min: -9, max: 9 }),
    delay: fc.nat(40_000),
    queue: fc.nat(2),
  }),
  fc.record({ do: fc.constant("advance" as const), ms: fc.nat(30_000) }),
  fc.record({
    do: fc.constant("claim" as const),
    limit: fc.integer({ min: 1, max: 5 }),
    queues: fc.subarray([0, 1, 2]),
  }),
  fc.record({ do: fc.constant("park" as const), which: fc.nat(), delay: fc.option(fc.nat(40_000)) }),
  fc.record({ do: fc.constant("renew" as const), which: fc.nat() }),
);

/** What every task says of itself, and what a claim of these queues must therefore answer. */
async function expected(storage: StorageBackend, queues: readonly string[], now: number, limit: number) {
  const { items } = await storage.listRuns(runQuery({ limit: 1_000 }));
  const visible = items
    .filter(({ queue }) => queues.includes(queue))
    .map(({ runId, priority, task }) => ({ runId, priority, at: task?.leaseUntil ?? task?.readyAt ?? Infinity }));
  const ready = visible
    .filter(({ at }) => at <= now)
    .map(({ runId, priority, at }) => ({ runId, rank: at - priority * 10_000 }))
    .toSorted((a, b) => a.rank - b.rank);
  const later = Math.min(...visible.map(({ at }) => at).filter((at) => at > now));
  return {
    rankOf: new Map(ready.map(({ runId, rank }) => [runId, rank])),
    ranks: ready.slice(0, limit).map(({ rank }) => rank),
    nextReadyAt: ready.length > limit ? now : later < Infinity ? later : null,
  };
}

it("claims in the order that the tasks' own states tell, whatever happened before (I8, I10, I27)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { storage, clock } = openStorage();
      const claims: Claim[] = [];
      const answers: unknown[] = [];
      const wantedAnswers: unknown[] = [];
      for (const [i, one] of steps.entries()) {
        const now = clock.now();
        switch (one.do) {
          case "create": {
            const { priority, delay, queue } = one;
            await storage.createRuns([
              newRun(`r${i}`, { priority, queue: `q${queue}`, readyAt: now + delay - 10_000 }),
            ]);
            break;
          }
          case "advance":
            clock.advance(one.ms);
            break;
          case "claim": {
            const queues = one.queues.map((number) => `q${number}`);
            const wanted = await expected(storage, queues, now, one.limit);
            const request = claimRequest({ workerInstance: `i${i}`, queues, limit: one.limit });
            const { tasks, nextReadyAt } = await storage.claimTasks(request);
            answers.push({ ranks: tasks.map(({ claim }) => wanted.rankOf.get(claim.runId)), nextReadyAt });
            wantedAnswers.push({ ranks: wanted.ranks, nextReadyAt: wanted.nextReadyAt });
            claims.push(...tasks.map(({ claim }) => claim));
            break;
          }
          case "park":
          case "renew": {
            const claim = claims[one.which % claims.length];
            if (claim === undefined) break;
            if (one.do === "renew") {
              await storage.renewLeases([claim], 20_000);
            } else {
              const wakeAt = one.delay === null ? null : now + one.delay;
              await storage.commitTasks([workflowCommit(claim, { next: { do: "park", wakeAt } })]);
            }
            break;
          }
          default:
            one satisfies never;
        }
      }
      expect(answers).toEqual(wantedAnswers);
    }),
  );
});
