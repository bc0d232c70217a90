import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Client, createClient, type RunDescription, type RunHandle } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { other } from "./deploys/none.ts";
import * as v1 from "./deploys/v1.ts";
import { scratchDirectory } from "./scratch.ts";

const directory = scratchDirectory();
const program = new URL("children/deploy.ts", import.meta.url);

interface Deployed {
  readonly logs: readonly { readonly level: string; readonly message: string }[];
  stop(): Promise<void>;
}

/** A store, its client, and what starts workers of a version in processes of their own. */
function site(name: string): {
  readonly client: Client;
  readonly deploy: (version: "v1" | "v2" | "v3" | "without" | "none") => Deployed;
} {
  const path = join(directory, `${name}.db`);
  const storage = sqlite(path);
  const client = createClient({ storage });
  const running = new Set<Deployed>();
  onTestFinished(async () => {
    await Promise.all([...running].map((deployed) => deployed.stop()));
    await client.close();
    await storage.close();
  });
  const deploy = (version: string): Deployed => {
    const logs: { level: string; message: string }[] = [];
    const child = fork(program, [path, version], { execArgv: ["--conditions=@perdure/source"] });
    const ended = once(child, "exit");
    child.on("message", (line) => logs.push(line as (typeof logs)[number]));
    const deployed = {
      logs,
      stop: async () => {
        running.delete(deployed);
        if (child.connected) child.disconnect();
        await ended;
      },
    };
    running.add(deployed);
    return deployed;
  };
  return { client, deploy };
}

async function until(run: RunHandle, isSo: (description: RunDescription) => boolean): Promise<RunDescription> {
  for (;;) {
    const description = await run.describe();
    if (isSo(description)) return description;
    await pause(20);
  }
}

describe("workers of two versions of a workflow", { timeout: 120_000 }, () => {
  test("the new one refuses a run of the old one without harm, says why, and the old one goes on with it (I2, I9)", async () => {
    const { client, deploy } = site("refused");
    const old = deploy("v1");
    const run = await client.start(v1.order, undefined);
    await until(run, ({ waitingFor }) => waitingFor.length > 0);
    await old.stop();
    const history = await run.history();

    const current = deploy("v2");
    await run.signal(v1.approved, "ada");
    const { blocked, why, version } = await until(run, (described) => described.blocked !== null);
    expect(version).toBe("1");
    expect(blocked).toMatchObject({ code: "determinism" });
    expect(blocked!.message).toMatch(/history has ACTIVITY_COMPLETED "charge".*asked for ACTIVITY_SCHEDULED "bill"/u);
    expect(blocked!.message).toContain('started with version "1" of the workflow, this worker has version "2"');
    expect(why).toContain(blocked!.message);
    expect((await client.list({ blocked: true })).runs).toMatchObject([
      { runId: run.runId, version: "1", blocked: { code: "determinism" } },
    ]);
    await until(run, (described) => (described.blocked?.tries ?? 0) > 1);
    expect(await run.history()).toEqual(history);
    expect(current.logs).toContainEqual({ level: "warn", message: blocked!.message });

    deploy("v1");
    expect(await run.result({ timeout: "90s" })).toEqual(["charged by 1", "ada", "shipped by 1"]);
    // New runs are started under the new code all the while.
    expect(current.logs.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("side by side finish each other's runs with the code that each began with", async () => {
    const { client, deploy } = site("side-by-side");
    const runs: RunHandle<string[]>[] = [];
    for (const version of ["v1", "v2"] as const) {
      const alone = deploy(version);
      for (let count = 1; count <= 3; count++) {
        const run = await client.start(v1.order, undefined);
        await until(run, ({ waitingFor }) => waitingFor.length > 0);
        runs.push(run);
      }
      await alone.stop();
    }
    deploy("v1");
    deploy("v2");
    await Promise.all(runs.map((run) => run.signal(v1.approved, "ada")));
    const outputs = await Promise.all(runs.map((run) => run.result({ timeout: "100s" })));
    expect(outputs).toEqual(
      ["1", "1", "1", "2", "2", "2"].map((by) => [`charged by ${by}`, "ada", `shipped by ${by}`]),
    );
    const histories = await Promise.all(runs.map((run) => run.history()));
    for (const history of histories) expect(history).toHaveLength(6);
  });

  test("a fixed one goes on with what is blocked, by itself", async () => {
    const { client, deploy } = site("fixed");
    const old = deploy("v1");
    const run = await client.start(v1.order, undefined);
    await until(run, ({ waitingFor }) => waitingFor.length > 0);
    await old.stop();
    const broken = deploy("v2");
    await run.signal(v1.approved, "ada");
    await until(run, ({ blocked }) => blocked !== null);
    await broken.stop();
    deploy("v3");
    expect(await run.result({ timeout: "60s" })).toEqual(["charged by 1", "ada", "shipped by 3", "told by 3"]);
  });

  test.each([
    ["renamed", "v2", 'asked for ACTIVITY_SCHEDULED "pick-up"'],
    ["removed", "without", "but the code asked for TIMER_STARTED"],
  ] as const)("an activity that was %s keeps its run waiting, with both sides named", async (_, version, asked) => {
    const { client, deploy } = site(`activity-${version}`);
    const depot = join(directory, `depot-${version}`);
    const old = deploy("v1");
    const run = await client.start(v1.parcel, depot);
    await until(run, ({ currentActivities }) => currentActivities.length > 0);
    await old.stop();
    const broken = deploy(version);
    const { blocked, why, status } = await until(run, (described) => described.blocked !== null);
    expect(status).not.toBe("failed");
    expect(why).toContain('history has ACTIVITY_RETRYING "collect"');
    expect(why).toContain(asked);
    await expect.poll(() => broken.logs).toContainEqual({ level: "warn", message: blocked!.message });
    await broken.stop();
    writeFileSync(depot, "open");
    deploy("v3");
    expect(await run.result({ timeout: "60s" })).toEqual(["collected", "delivered by 3"]);
  });

  test("one that has forgotten the workflow neither takes nor fails its runs", async () => {
    const { client, deploy } = site("forgotten");
    const old = deploy("v1");
    const run = await client.start(v1.order, undefined);
    await until(run, ({ waitingFor }) => waitingFor.length > 0);
    await old.stop();
    deploy("none");
    await run.signal(v1.approved, "ada");
    // It works, and leaves this run alone.
    await (await client.start(other, undefined)).result({ timeout: "60s" });
    expect((await run.describe()).why).toContain('has workflow "order"');
    deploy("v1");
    expect(await run.result({ timeout: "60s" })).toEqual(["charged by 1", "ada", "shipped by 1"]);
  });
});
