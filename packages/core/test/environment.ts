/** A test environment that is closed after the test, and whose every history must then replay (I14). */
import { expect, onTestFinished } from "vitest";
import type { AnyWorkflow } from "../src/define/workflow.ts";
import type { LogFields, Logger } from "../src/model/logger.ts";
import {
  createTestEnvironment,
  exportHistory,
  replayHistory,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from "../src/testing.ts";
import { memory, virtualClock } from "../src/memory.ts";
import type { VirtualRuntime } from "../src/testing/virtual-runtime.ts";
import { type Intercept, intercepted } from "./intercepted.ts";

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export interface TestedEnvironment extends TestEnvironment {
  readonly runtime: VirtualRuntime;
  readonly logs: readonly LogLine[];
}

/** Behaviour must be the same with runs kept in memory and with every turn replayed cold. */
export const CACHES = [1_000, 0] as const;

/** `replays: false` for tests whose point is code that does not replay. */
export function environment({
  replays = true,
  ...options
}: TestEnvironmentOptions & { readonly replays?: boolean }): TestedEnvironment {
  const { logs, logger } = recordingLogger();
  const env = createTestEnvironment({ logger, ...options });
  onTestFinished(async () => {
    if (replays) await replayAll(env, options.workflows);
    await env.close();
  });
  return Object.assign(env, { logs, runtime: env.runtime as VirtualRuntime });
}

/** An environment over a storage whose calls are intercepted. */
export function faulty(
  intercept: Intercept,
  options: TestEnvironmentOptions & { readonly replays?: boolean },
): TestedEnvironment {
  const clock = virtualClock();
  return environment({ ...options, clock, storage: intercepted(memory({ clock }), intercept) });
}

export function recordingLogger(): { readonly logs: readonly LogLine[]; readonly logger: Logger } {
  const logs: LogLine[] = [];
  const write =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      void logs.push({ level, message, fields });
  return {
    logs,
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
}

/** Replays every prefix of every history in the store. */
async function replayAll({ storage }: TestEnvironment, workflows: readonly AnyWorkflow[]): Promise<void> {
  const { items } = await storage.listRuns({ limit: 1_000 });
  for (const { runId, workflow } of items) {
    const definition = workflows.find(({ name }) => name === workflow);
    if (definition === undefined) continue;
    const exported = await exportHistory(storage, runId);
    expect(exported.events.map(({ seq }) => seq)).toEqual(exported.events.map((_, at) => at + 1));
    await replayHistory(definition, exported, { prefixes: exported.events.length <= 300 });
  }
}
