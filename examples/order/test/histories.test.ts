import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { workflow } from "@perdure/core";
import { type ExportedHistory, replayHistory } from "@perdure/core/testing";
import { describe, expect, it } from "vitest";
import { order, shipment } from "../src/order.ts";

const folder = join(import.meta.dirname, "..", "histories");
const files = globSync("v*/*.json", { cwd: folder }).toSorted();
const read = (file: string): ExportedHistory => JSON.parse(readFileSync(join(folder, file), "utf8")) as ExportedHistory;

const definitions = { order, shipment };
const statuses: Readonly<Record<string, string>> = {
  WORKFLOW_COMPLETED: "completed",
  WORKFLOW_FAILED: "failed",
  WORKFLOW_CANCELLED: "cancelled",
};

describe("histories of earlier versions", () => {
  it("are there, of both workflows and of every outcome", () => {
    const outcomes = files
      .map(read)
      .map(({ header, events }) => `${header.workflow} ${statuses[events.at(-1)!.type] ?? "open"}`);
    expect(new Set(outcomes)).toEqual(
      new Set([
        "order completed",
        "order failed",
        "order cancelled",
        "order open",
        "shipment completed",
        "shipment cancelled",
      ]),
    );
  });

  it.each(files)(
    "%s is replayed by today's code, from every place where a worker may have died (I14)",
    async (file) => {
      const exported = read(file);
      const definition = definitions[exported.header.workflow as keyof typeof definitions];
      const replay = await replayHistory(definition, exported, { prefixes: true });
      expect(replay.status).toBe(statuses[exported.events.at(-1)!.type] ?? "open");
    },
  );

  it("are not replayed by code that asks for something else", async () => {
    const changed = workflow({ name: "order" }, async (ctx) => {
      await ctx.sleep("1s");
    });
    await expect(replayHistory(changed, read("v0.1/completed.json"), { prefixes: true })).rejects.toMatchObject({
      code: "determinism",
    });
  });
});
