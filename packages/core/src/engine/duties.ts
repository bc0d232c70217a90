import type { Codec } from "../codec/codec.ts";
import type { Payload } from "../model/payload.ts";
import type { ClosedStatus, ParentClose, RunHeader } from "../model/run.ts";
import type { NewMessage } from "../storage/message.ts";
import { cancelMessage, childClosedMessage } from "./inbox-message.ts";

/** Parts of a child that its parent's end concerns. */
export interface ChildLeft {
  readonly runId: string;
  readonly incarnation: string;
  readonly parentClose: ParentClose;
}

/**
 * What a run owes to others once its terminal event is durable: its parent learns of the end, its open children are closed by their
 * policy. Idempotent: whoever finds the closed task repeats all of it.
 */
export function dutiesOf(
  codec: Codec,
  run: RunHeader,
  end: { readonly status: ClosedStatus; readonly failure?: Payload | undefined },
  children: Iterable<ChildLeft>,
): readonly NewMessage[] {
  const duties: NewMessage[] = [];
  for (const { runId, incarnation, parentClose } of children) {
    if (parentClose === "abandon") continue;
    const data = cancelMessage(codec, parentClose, `parent run "${run.runId}" closed`);
    duties.push({ runId, incarnation, dedupeId: `parent-closed:${run.incarnation}`, external: false, data });
  }
  if (run.parent !== null) {
    const { runId, incarnation, seq } = run.parent;
    const data = childClosedMessage(codec, { seq, runId: run.runId, status: end.status, failure: end.failure });
    duties.push({ runId, incarnation, dedupeId: `child-closed:${run.incarnation}`, external: false, data });
  }
  return duties;
}
