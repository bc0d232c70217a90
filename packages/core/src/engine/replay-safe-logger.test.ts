import { describe, expect, it } from "vitest";
import { recordingLogger } from "../../test/environment.ts";
import { code, drive, Driven as DrivenExecution } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);

describe("ctx.logger", () => {
  it("writes what the code says for the first time, and nothing that it says again", async () => {
    const { logs, logger } = recordingLogger();
    const definition = code(async (ctx) => {
      ctx.logger.info("one");
      await ctx.run(charge, 1);
      ctx.logger.warn("two", { n: 2 });
      await ctx.run(charge, 2);
      ctx.logger.error("three");
    });
    const run = await drive(definition, undefined, logger);
    await run.complete(1, null);
    run.take();
    expect(logs.map(({ message }) => message)).toEqual(["one", "two"]);
    expect(logs[1]).toEqual({ level: "warn", message: "two", fields: { workflow: "code", runId: "run-1", n: 2 } });

    const again = recordingLogger();
    const cold = await new DrivenExecution(definition, undefined, again.logger).replay(run.history);
    await cold.complete(2, null);
    expect(again.logs.map(({ message }) => message)).toEqual(["two", "three"]);
  });
});
