import { describe, expect, it, onTestFinished } from "vitest";
import { recordingLogger } from "../../test/environment.ts";
import { type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { type Client, createClient } from "../client/client.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import { virtualRuntime } from "../testing/virtual-runtime.ts";
import { createWorker } from "./worker.ts";

const quick = workflow({ name: "quick" }, async (ctx, n: number) => {
  const doubled = await ctx.run("double", () => n * 2);
  await ctx.sleep("4s");
  return doubled;
});
const hang = workflow({ name: "hang" }, (ctx) => ctx.run("hang", () => new Promise<string>(() => {})));

/** Of a store in two parts: runs whose id begins with `far` lie in another one than the rest. */
function partOf(id: string): number {
  return id.startsWith("far") ? 1 : 0;
}

function isFar({ runId }: { readonly runId: string }): boolean {
  return partOf(runId) === 1;
}

interface World {
  readonly store: StorageBackend;
  readonly client: Client;
  /** Moves time in steps, and lets everything go on in between. */
  readonly pass: (ms: number) => Promise<void>;
  /** What the worker has logged, by its codes. */
  readonly codes: () => readonly unknown[];
}

function world(intercept: Intercept, workflows: readonly AnyWorkflow[]): World {
  const clock = virtualClock();
  const runtime = virtualRuntime(clock, "parts");
  const store = memory({ clock });
  const storage = new Proxy(intercepted(store, intercept), {
    get: (target, key: keyof StorageBackend) => (key === "partOf" ? partOf : (target[key] as unknown)),
  });
  const { logs, logger } = recordingLogger();
  const worker = createWorker({ storage, workflows, runtime, logger, lease: "3s" });
  void worker.run();
  onTestFinished(() => worker.stop({ grace: 0 }));
  return {
    store,
    client: createClient({ storage: store, runtime }),
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 500) {
        clock.advance(500);
        await runtime.calm();
      }
    },
    codes: () => logs.map(({ fields }) => fields["code"]),
  };
}

describe("a part of the store that is out of reach", () => {
  it("holds up none of the runs of the others, and its own go on when it is back (I9)", async () => {
    let isAway = true;
    const { client, pass } = world(
      {
        commitTasks: (call, [commits]) =>
          isAway && commits.some(({ claim }) => isFar(claim)) ? Promise.reject(unavailable()) : call(),
      },
      [quick],
    );
    const [far, close] = await Promise.all(
      ["far", "close"].map((part) => Promise.all([1, 2, 3].map((n) => client.start(quick, n, { id: `${part} ${n}` })))),
    );
    await pass(10_000);
    expect(await Promise.all(close!.map((run) => run.status()))).toEqual(["completed", "completed", "completed"]);
    expect(await Promise.all(far!.map((run) => run.status()))).not.toContain("completed");
    isAway = false;
    await pass(20_000);
    expect(await Promise.all(far!.map((run) => run.result()))).toEqual([2, 4, 6]);
  });

  it("costs no lease in the others, and is told once (I8)", async () => {
    let isAway = true;
    let renewed = 0;
    const { client, store, pass, codes } = world(
      {
        renewLeases: (call, [claims]) => {
          if (!claims.some(isFar)) renewed += claims.length;
          else if (isAway) return Promise.reject(unavailable());
          return call();
        },
      },
      [hang],
    );
    await Promise.all(["far", "close"].map((id) => client.start(hang, undefined, { id })));
    await pass(2_500);
    expect(codes()).toEqual(["storage-unavailable"]);
    isAway = false;
    await pass(27_500);
    expect(codes()).toEqual(["storage-unavailable", "storage-available"]);
    expect(renewed).toBeGreaterThanOrEqual(28);
    expect((await store.getRun("close"))!.task).toMatchObject({ epoch: 1 });
  });

  it("keeps others' leases although it never answers (I8)", async () => {
    let renewed = 0;
    const { client, store, pass } = world(
      {
        renewLeases: (call, [claims]) => {
          if (claims.some(isFar)) return new Promise(() => {});
          renewed += claims.length;
          return call();
        },
      },
      [hang],
    );
    await Promise.all(["far", "close"].map((id) => client.start(hang, undefined, { id })));
    await pass(30_000);
    expect(renewed).toBeGreaterThanOrEqual(28);
    expect((await store.getRun("close"))!.task).toMatchObject({ epoch: 1 });
  });
});
