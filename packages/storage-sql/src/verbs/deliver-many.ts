import type { DeliverResult, NewMessage } from "@perdure/core/storage";
import { isRemembered, storeMessage } from "../inbox.ts";
import { each, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";
import { announce, deliver, findRecipient } from "./deliver.ts";

/** `deliver`, for a batch: many messages to one run, as the ends of its children, take as few trips as one. */
export function* deliverMany(turn: Turn, messages: readonly NewMessage[]): Steps<readonly DeliverResult[]> {
  const groups = groupsOf(messages);
  const answers = yield* each(
    groups,
    ([at]) => messages[at!]!.runId,
    (group) =>
      deliverGroup(
        turn,
        group.map((at) => messages[at]!),
      ),
  );
  const results: DeliverResult[] = [];
  groups.forEach((group, no) => group.forEach((at, index) => (results[at] = answers[no]![index]!)));
  return results;
}

/** The places of messages to one run, in their order; those that mean another incarnation of it are apart. */
function groupsOf(messages: readonly NewMessage[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  const newest = new Map<string, number[]>();
  messages.forEach(({ runId, incarnation }, at) => {
    const group = newest.get(runId);
    if (group !== undefined && messages[group[0]!]!.incarnation === incarnation) group.push(at);
    else newest.set(runId, groups[groups.push([at]) - 1]!);
  });
  return groups;
}

function* deliverGroup(turn: Turn, messages: readonly NewMessage[]): Steps<readonly DeliverResult[]> {
  const [first] = messages as readonly [NewMessage];
  if (messages.length === 1) return [yield* deliver(turn, first)];
  const recipient = yield* findRecipient(turn, first);
  if (recipient === undefined) return messages.map(() => ({ status: "unknown" }));
  const { run, task } = recipient;
  // Nobody else stores messages while the task is locked: so what is not known now is new.
  const known = yield* each(
    messages,
    ({ dedupeId }) => dedupeId,
    ({ dedupeId }) => isRemembered(run, dedupeId),
  );
  if (task === undefined || task.closed === 1) {
    return known.map((isKnown) => ({ status: isKnown ? "duplicate" : "closed" }));
  }
  const fresh = new Map<string, number>();
  messages.forEach(({ dedupeId }, at) => {
    if (!known[at] && !fresh.has(dedupeId)) fresh.set(dedupeId, at);
  });
  yield* each(
    [...fresh.values()].map((at, index) => ({ at, task: { ...task, inbox_last: task.inbox_last + index } })),
    ({ at }) => String(at),
    (one) => storeMessage(turn, one.task, messages[one.at]!),
  );
  if (fresh.size > 0) yield* announce(turn, task, first.runId, fresh.size);
  return messages.map(({ dedupeId }, at) => ({ status: fresh.get(dedupeId) === at ? "accepted" : "duplicate" }));
}
