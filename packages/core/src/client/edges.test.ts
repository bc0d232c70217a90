/** What people pass who have no types, or have cast them away. */
import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import { createWorker } from "../worker/worker.ts";
import { createClient, type Client } from "./client.ts";

const idle = workflow({ name: "idle" }, async () => {});
const done = signal("done");

// oxlint-disable-next-line typescript/no-explicit-any -- that is what this file is about
type Untyped = any;

function refused(says: RegExp, code = "invalid-argument"): unknown {
  return expect.objectContaining({ code, message: expect.stringMatching(says) as unknown });
}

const storage = memory();

describe("createClient and createWorker", () => {
  it.each([
    ["nothing", undefined, /takes its options as an object, not as undefined/],
    ["no storage", { workflows: [] }, /need a storage, and got undefined/],
    ["a path", { workflows: [], storage: "perdure.db" }, /need a storage, and got string/],
    ["a function that makes a storage", { workflows: [], storage: memory }, /need a storage, and got function/],
    ["another object", { workflows: [], storage: {} }, /need a storage, and got an object that is none/],
    [
      "a codec that is none",
      { workflows: [], storage, codec: JSON },
      /codec must have the functions encode and decode/,
    ],
  ])("refuse %s", (_, options, says) => {
    expect(() => createWorker(options as Untyped)).toThrow(refused(says));
    const { workflows: _workflows, ...rest } = (options ?? {}) as Record<string, unknown>;
    expect(() => createClient((options === undefined ? options : rest) as Untyped)).toThrow(refused(says));
  });

  it("refuse options that they do not have", () => {
    expect(() => createClient({ storage, logger: console } as Untyped)).toThrow(
      refused(/createClient has no option "logger"/),
    );
    expect(() => createWorker({ storage, workflows: [], queue: "gpu" } as Untyped)).toThrow(
      refused(/createWorker has no option "queue"\. Its options are .*queues/),
    );
  });

  it.each([
    ["no workflows", {}, /needs a list of its workflows/],
    ["one workflow", { workflows: idle }, /needs a list of its workflows/],
    [
      "one activity",
      { workflows: [], activities: activity({ name: "a" }, () => {}) },
      /needs a list of its activities/,
    ],
    ["one queue", { workflows: [], queues: "gpu" }, /`queues` of a worker must be a list/],
    ["half a concurrency", { workflows: [], concurrency: { runs: 5 } }, /concurrency\.activities of a worker/],
    ["a concurrency of something else", { workflows: [], concurrency: { run: 5 } }, /no option "run"/],
    ["a logger without debug", { workflows: [], logger: { info() {}, warn() {}, error() {} } }, /logger must have/],
    ["a logger that is false", { workflows: [], logger: false }, /logger must have/],
  ])("createWorker refuses %s", (_, options, says) => {
    expect(() => createWorker({ storage, ...options } as Untyped)).toThrow(refused(says));
  });
});

const CALLS: readonly (readonly [what: string, call: (client: Client) => unknown, says: RegExp, code?: string])[] = [
  ["a start by name", (client) => client.start("idle" as Untyped, undefined), /not its name/, "unknown-workflow"],
  [
    "a start with a misspelt key",
    (client) => start(client, { idempotencykey: "17" }),
    /no option "idempotencykey".*idempotencyKey/,
  ],
  ["a start with an id in place of options", (client) => start(client, "order-17"), /as an object, not as a string/],
  ["a start with a number as id", (client) => start(client, { id: 17 }), /The id of a run must be a text/],
  ["a start with a text as time", (client) => start(client, { startAt: "2026-01-01" }), /startAt of client\.start/],
  ["many starts that are none", (client) => client.startMany(idle as Untyped), /needs a list of starts/],
  [
    "a start among many that is none",
    (client) => client.startMany([undefined] as Untyped),
    /needs a workflow/,
    "unknown-workflow",
  ],
  [
    "a list of a status that is shown",
    (client) => client.list({ status: "running" as Untyped }),
    /status of client\.list is "running".*open/,
  ],
  ["a list with a misspelt filter", (client) => client.list({ state: "failed" } as Untyped), /no option "state"/],
  [
    "a list after a text",
    (client) => client.list({ createdAfter: "2026" as Untyped }),
    /createdAfter of client\.list must be a valid Date/,
  ],
  [
    "a list by a definition",
    (client) => client.list({ workflow: idle as Untyped }),
    /workflow of client\.list must be a text/,
  ],
  ["a list that is blocked by text", (client) => client.list({ blocked: "yes" as Untyped }), /blocked of client\.list/],
  ["too long a page", (client) => client.list({}, { limit: 5_000 }), /limit of client\.list must be .* 1 to 1000/],
  ["a cursor of somebody else", (client) => client.list({}, { cursor: "x" }), /cursor/],
  [
    "a purge of everything",
    (client) => client.purge({} as Untyped),
    /closedBefore of client\.purge must be a valid Date/,
  ],
  [
    "a purge of open runs",
    (client) => client.purge({ closedBefore: new Date(), status: "open" as Untyped }),
    /status of client\.purge/,
  ],
  ["a handle to nothing", async (client) => client.handle(undefined as Untyped), /run id of client\.handle/],
  [
    "a result with a number",
    (client) => client.handle("r").result(5_000 as Untyped),
    /handle\.result takes its options/,
  ],
  [
    "a cancel with a text",
    (client) => client.handle("r").cancel("enough" as Untyped),
    /handle\.cancel takes its options/,
  ],
  [
    "a signal with a number as id",
    (client) => client.handle("r").signal(done, undefined, { id: 5 as Untyped }),
    /id of a signal/,
  ],
  [
    "a fork with a misspelt place",
    (client) => client.handle("r").fork({ beforeStop: "pay" } as Untyped),
    /no option "beforeStop"/,
  ],
];

function start(client: Client, options: Untyped): Promise<unknown> {
  return client.start(idle, undefined, options as object);
}

describe("a client", () => {
  it.each(CALLS.map(([what, ...rest]) => [what, rest] as const))("refuses %s", async (_, [call, says, code]) => {
    const { client } = environment({ workflows: [idle] });
    const error: unknown = await Promise.resolve()
      .then(() => call(client))
      .catch((caught: unknown) => caught);
    expect(error).toEqual(refused(says, code));
    expect((error as Error).message).not.toMatch(/RunQuery|PurgeRequest/);
  });

  it("lists runs in its own terms", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      await ctx.child(idle, undefined, { id: "kid" });
    });
    const env = environment({ workflows: [parent, idle] });
    await env.client.start(parent, undefined, { id: "p", attributes: { team: "a" } });
    await env.runUntilIdle();
    const { runs } = await env.client.list({ workflow: "idle" });
    expect(runs).toEqual([
      {
        runId: "kid",
        workflow: "idle",
        version: null,
        status: "completed",
        blocked: null,
        queue: "default",
        priority: 0,
        attributes: {},
        createdAt: expect.any(Date) as unknown,
        closedAt: expect.any(Date) as unknown,
        parentRunId: "p",
      },
    ]);
  });
});
