import type { Claim, RenewResult } from "@perdure/core/storage";
import { changeRun } from "../change-run.ts";
import { isOfRun, ownedActivity, ownsRun } from "../owned.ts";
import { readMessages } from "../run-views.ts";
import type { RunWork } from "../run-work.ts";
import type { Store } from "../store.ts";
import { leaseUntil } from "../times.ts";
import { eachRun } from "./each-run.ts";
import { portions } from "./portions.ts";

/** `renewLeases`: also a lease that expired and that nobody took over; never one that its holder gave up. */
export async function renewLeases(
  store: Store,
  claims: readonly Claim[],
  leaseMs: number,
): Promise<readonly RenewResult[]> {
  const now = store.now();
  return eachRun(
    claims,
    ({ runId }) => runId,
    async (same) => {
      const results: RenewResult[] = [];
      for (const some of portions(same, () => 0)) {
        const { answer } = await changeRun(
          store,
          some[0]!.runId,
          now,
          async (work) => {
            const renewed: (() => Promise<RenewResult>)[] = [];
            for (const claim of some) renewed.push(work === undefined ? lost : await renew(work, claim, leaseMs));
            return renewed;
          },
          { isFresh: !some.every(isOfRun) },
        );
        for (const result of answer) results.push(await result());
      }
      return results;
    },
  );
}

async function renew(work: RunWork, claim: Claim, leaseMs: number): Promise<() => Promise<RenewResult>> {
  const { head, now, partition } = work;
  const until = now + leaseMs;
  const activity = await ownedActivity(work, claim);
  if (activity !== undefined) {
    leaseUntil(activity, { ...activity.lease!, until });
    work.changeActivity(activity);
    return async () => ({ status: "held", now, leaseUntil: until, inboxLast: 0, messages: [] });
  }
  if (!ownsRun(head, claim)) return lost;
  work.changeHead();
  leaseUntil(head, { ...head.lease!, until });
  const { inboxAcked, inboxLast } = head;
  return async () => {
    const messages = await readMessages(partition, inboxAcked, inboxLast);
    return { status: "held", now, leaseUntil: until, inboxLast, messages };
  };
}

async function lost(): Promise<RenewResult> {
  return { status: "lost" };
}
