import type { RunHeader } from "./run.ts";

type Given = "createdAt" | "baseSeq";

/** A run's header and nothing else, in objects of its own. What its creator does not decide is given apart. */
export function copyHeader(run: Omit<RunHeader, Given>, given: Pick<RunHeader, Given>): RunHeader {
  const { runId, incarnation, workflow, version, queue, priority, startHash, parent, parentClose, input, deadlineAt } =
    run;
  return {
    runId,
    incarnation,
    workflow,
    version,
    queue,
    priority,
    startHash,
    parent: parent && { runId: parent.runId, incarnation: parent.incarnation, seq: parent.seq },
    parentClose,
    input,
    createdAt: given.createdAt,
    deadlineAt,
    baseSeq: given.baseSeq,
  };
}
