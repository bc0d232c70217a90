/** Drives an Execution by hand: no worker, no storage, no time but what the test says. */
import { expect } from "vitest";
import { jsonCodec } from "../src/codec/json-codec.ts";
import type { WorkflowContext } from "../src/define/context.ts";
import { type AnyWorkflow, workflow } from "../src/define/workflow.ts";
import { activityCompleted, activityFailed } from "../src/engine/activity-events.ts";
import { Execution } from "../src/engine/execution.ts";
import { workflowBody } from "../src/engine/workflow-body.ts";
import type { Logger } from "../src/model/logger.ts";
import type { RunHeader } from "../src/model/run.ts";
import { realRuntime } from "../src/runtime/real-runtime.ts";
import type { StoredEvent } from "../src/storage/event.ts";
import { typesOf } from "./types.ts";
import { recordingLogger } from "./environment.ts";

export const STARTED_AT = 1_000_000;

function runHeader(definition: AnyWorkflow, input?: unknown): RunHeader {
  return {
    runId: "run-1",
    incarnation: "incarnation-0001",
    workflow: definition.name,
    version: definition.version,
    queue: "default",
    priority: 0,
    startHash: "hash",
    parent: null,
    parentClose: null,
    input: jsonCodec.encode(input),
    createdAt: STARTED_AT,
    deadlineAt: null,
    baseSeq: 0,
  };
}

export function started(definition: AnyWorkflow): StoredEvent {
  const data = JSON.stringify({ workflow: definition.name });
  return { seq: 1, type: "WORKFLOW_STARTED", command: null, at: STARTED_AT, data };
}

/** A workflow of untyped code. */
export function code(run: (ctx: WorkflowContext) => Promise<unknown>): AnyWorkflow {
  return workflow({ name: "code" }, (ctx) => run(ctx as unknown as WorkflowContext));
}

/** An execution with the history that it has written so far. */
export class Driven {
  readonly execution: Execution;
  readonly history: StoredEvent[] = [];
  readonly clock = { now: STARTED_AT };

  constructor(definition: AnyWorkflow, input?: unknown, logger: Logger = recordingLogger().logger) {
    this.execution = new Execution(runHeader(definition, input), workflowBody(definition), {
      codec: jsonCodec,
      logger,
      settle: realRuntime.settle,
      random: () => 0.5,
      serves: () => true,
      turnTime: () => this.clock.now,
    });
  }

  /** Replays a history from its beginning. */
  async replay(history: readonly StoredEvent[]): Promise<this> {
    this.history.push(...history);
    await this.execution.replay(history);
    return this;
  }

  /** What was recorded since the last call, as `TYPE command`. */
  take(): readonly string[] {
    const fresh = this.execution.fresh.splice(0);
    for (const event of fresh) this.history.push({ seq: this.history.length + 1, ...event });
    return typesOf(fresh);
  }

  complete(command: number, output: unknown): Promise<void> {
    return activityCompleted(this.execution, command, jsonCodec.encode(output));
  }

  fail(command: number, message: string, name = "Error"): Promise<void> {
    return activityFailed(this.execution, command, { name, message });
  }

  signal(name: string, payload: unknown): Promise<void> {
    return this.execution.signalReceived(name, payload, { payload: jsonCodec.encode(payload) }, `id-${Math.random()}`);
  }

  /** The output of code that has ended well. */
  get output(): unknown {
    const { ending } = this.execution;
    if (ending?.status !== "completed") throw new Error(`The code has not completed: ${JSON.stringify(ending)}`);
    return jsonCodec.decode(ending.output);
  }
}

/** Starts the code. */
export function drive(definition: AnyWorkflow, input?: unknown, logger?: Logger): Promise<Driven> {
  return new Driven(definition, input, logger).replay([started(definition)]);
}

/** Replays every prefix cold: what it asks for is what the history has next (I14). */
export async function replayPrefixes(definition: AnyWorkflow, { history }: Driven): Promise<void> {
  for (let length = 1; length <= history.length; length++) {
    const cold = await new Driven(definition).replay(history.slice(0, length));
    expect(cold.execution.broken).toBeNull();
    const fresh = cold.execution.fresh.map(({ type, command }) => ({ type, command }));
    const next = history.slice(length, length + fresh.length).map(({ type, command }) => ({ type, command }));
    expect(fresh.slice(0, next.length)).toEqual(next);
  }
}
