import type { CreateRunResult, NewRun, RunHeader, RunStatus } from "@perdure/core/storage";
import { attributeIndexesOf, headerText, indexesOf, parseHeader } from "../header.ts";
import { laneOf } from "../lane.ts";
import { eventText, listOf, numberOf, type Reply, textOf } from "../reply.ts";
import type { Argument } from "../shards.ts";

export function encodeRun(run: NewRun): readonly Argument[] {
  return [
    run.runId,
    run.incarnation,
    run.startHash,
    laneOf("workflow", run.queue, run.workflow),
    run.priority,
    run.readyAt,
    run.deadlineAt,
    headerText(run),
    run.input,
    run.state,
    JSON.stringify(run.attributes),
    attributeIndexesOf(run.attributes),
    indexesOf(run),
    eventText(run.started),
  ];
}

/** `header`: of the run that was to be created. */
export function createdRun(header: RunHeader, reply: Reply | undefined, now: number): CreateRunResult {
  const [status, startHash, incarnation, known, input, createdAt, baseSeq, runStatus] = listOf(reply);
  if (status === "created") return { status, run: { ...header, createdAt: now, status: "open" } };
  return {
    status: status as "existing" | "conflict",
    run: {
      runId: header.runId,
      incarnation: textOf(incarnation),
      startHash: textOf(startHash),
      ...parseHeader(textOf(known)),
      input: textOf(input),
      createdAt: numberOf(createdAt),
      baseSeq: numberOf(baseSeq ?? "0"),
      status: textOf(runStatus) as RunStatus,
    },
  };
}
