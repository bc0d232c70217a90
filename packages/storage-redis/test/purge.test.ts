import type { Claim, StorageBackend } from "@perdure/core/storage";
import { Redis } from "ioredis";
import { findRedis } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { SCRIPTS } from "../src/scripts.ts";
import { newPrefix, open } from "./scratch.ts";

/** More than one script looks at. */
const MANY = 600;

async function endAll(storage: StorageBackend, name: string, status: "completed" | "failed"): Promise<void> {
  await storage.createRuns(Array.from({ length: MANY }, (_, n) => newRun(`${name}-${n}`)));
  const { tasks } = await storage.claimTasks(anything({ limit: MANY }));
  const close =
    status === "completed" ? ({ status, output: "1" } as const) : ({ status, failure: '{"message":"no"}' } as const);
  const commit = (claim: Claim) => ({ ...done(claim, 1), close });
  await storage.commitTasks(tasks.map(({ claim }) => commit(claim)));
}

test(
  "a purge overlooks nothing while another one deletes what it has looked at (I26)",
  { timeout: 30_000 },
  async () => {
    const prefix = newPrefix();
    const other = open({ prefix });
    await endAll(other, "old", "completed");
    await endAll(other, "new", "failed");

    const everything = { closedBefore: Date.now() + 60_000, minAgeMs: 0, limit: 1_000 };
    const client = new Redis((await findRedis()).url);
    onTestFinished(() => client.disconnect());
    const evalsha = client.evalsha.bind(client) as (...args: readonly unknown[]) => Promise<unknown>;
    let looks = 0;
    client.evalsha = async (sha: string, ...args: readonly unknown[]) => {
      if (sha === SCRIPTS.findClosed.sha && ++looks === 2)
        await other.purgeRuns({ ...everything, status: ["completed"] });
      return evalsha(sha, ...args);
    };
    const storage = open({ prefix, client });
    expect(await storage.purgeRuns({ ...everything, status: ["failed"] })).toEqual({ purged: MANY, more: false });
    expect(looks).toBeGreaterThan(1);
    expect((await storage.stats()).runs).toEqual({ open: 0, completed: 0, failed: 0, cancelled: 0 });
  },
);
