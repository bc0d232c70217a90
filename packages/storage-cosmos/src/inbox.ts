import type { DeliverResult, NewMessage } from "@perdure/core/storage";
import type { Mark } from "./documents.ts";
import { INLINE } from "./inline.ts";
import { markId, messageId } from "./ids.ts";
import type { RunWork } from "./run-work.ts";
import { show } from "./times.ts";

/** One message: stored, and the task woken, in one write (I11). */
export async function accept(
  work: RunWork | undefined,
  taken: ReadonlySet<string>,
  message: NewMessage,
): Promise<DeliverResult["status"]> {
  if (work === undefined || (message.incarnation ?? work.head.incarnation) !== work.head.incarnation) return "unknown";
  const { head, partition, now } = work;
  const id = markId(message.dedupeId);
  if (taken.has(id) || work.creates(id)) return "duplicate";
  if (head.live === undefined || head.status !== "open")
    return (await partition.read<Mark>(id)) === undefined ? "closed" : "duplicate";
  const no = head.inboxLast + 1;
  const data = work.texts.write(message.data, INLINE);
  work.changeHead();
  work.create({ id, pk: partition.key, t: "mark" });
  work.create({ id: messageId(no), pk: partition.key, t: "message", no, at: now, dedupeId: message.dedupeId, data });
  head.inboxLast = no;
  wake(work);
  return "accepted";
}

/** A held task stays with its holder, a blocked one stays blocked; any other is ready now. */
function wake({ head, hints, now }: RunWork): void {
  if (head.lease !== null) hints.push({ of: "inbox", runId: head.runId });
  else if (!head.isBlocked && (head.visibleAt === undefined || head.visibleAt > now)) {
    head.readyAt = now;
    show(head, now);
  }
  if (head.visibleAt !== undefined && head.visibleAt <= now) hints.push({ of: "queue", queue: head.queue });
}
