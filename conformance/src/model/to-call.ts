import type { ClaimRequest, NewCacheEntry, NewMessage, NewRun, RunQuery } from "@perdure/core/storage";
import type { Call } from "./call.ts";
import { STEP } from "./steps.ts";
import { CACHE_KEYS, DEDUPE_IDS, RUNS, taskIdOf } from "./names.ts";
import type {
  CacheChoice,
  CallOperation,
  ClaimOperation,
  LeaseSteps,
  MessageChoice,
  NewRunChoice,
} from "./operation.ts";
import { fromNewest, toCommit } from "./to-commit.ts";
import type { World } from "./world.ts";

/** What an operation means after all that was heard so far; nothing, if it needs a claim and there was none. */
export function toCall(operation: CallOperation, world: World): Call | undefined {
  switch (operation.do) {
    case "create":
      return { verb: "createRuns", args: [operation.runs.map((run) => toRun(run, world))] };
    case "claim":
      return { verb: "claimTasks", args: [toClaimRequest(operation, world)] };
    case "renew": {
      const claims = operation.claims.flatMap((back) => fromNewest(world.claims, back) ?? []);
      return claims.length === 0 ? undefined : { verb: "renewLeases", args: [claims, leaseMs(operation.lease)] };
    }
    case "commit": {
      const commits = operation.commits.flatMap((choice) => toCommit(choice, world) ?? []);
      return commits.length === 0 ? undefined : { verb: "commitTasks", args: [commits] };
    }
    case "deliver":
      return { verb: "deliver", args: [operation.messages.map((message) => toMessage(message, world))] };
    case "unblock":
      return {
        verb: "unblockTasks",
        args: [operation.tasks.map((task) => taskIdOf(task, world.incarnation(task.run)))],
      };
    case "write-cache": {
      const entries = operation.entries.map((entry) => toCacheEntry(entry, world));
      return { verb: "writeCache", args: [entries] };
    }
    case "read-cache":
      return { verb: "readCache", args: [operation.keys.map((run) => CACHE_KEYS[run])] };
    case "get-run":
      return { verb: "getRun", args: [RUNS[operation.run].runId] };
    case "read-events": {
      const requests = operation.runs.map(({ run, after, limit }) => {
        return { runId: RUNS[run].runId, after, ...(limit !== null && { limit }) };
      });
      return { verb: "readEvents", args: [requests] };
    }
    case "list":
      return { verb: "listRuns", args: [toQuery(operation, world)] };
    case "stats":
      return { verb: "stats", args: [] };
    case "purge": {
      const { runs, status, aged, closedBefore } = operation;
      const request = {
        closedBefore: world.at(closedBefore),
        minAgeMs: aged ? STEP / 2 : 0,
        ...(status !== null && { status: [status] }),
        ...(runs !== null && { runIds: runs.map((run) => RUNS[run].runId) }),
        limit: 10,
      };
      return { verb: "purgeRuns", args: [request] };
    }
    case "again":
      return fromNewest(world.repeatable, operation.back);
    default:
      return operation satisfies never;
  }
}

/** Ends between two steps, so that nothing else comes at the same time. */
function leaseMs(steps: LeaseSteps): number {
  return steps * STEP - STEP / 2;
}

function toRun({ run, hash, readyIn, deadlineIn, child }: NewRunChoice, world: World): NewRun {
  const number = world.number();
  return {
    ...RUNS[run],
    incarnation: `incarnation-of-${run}-${number}`,
    version: null,
    startHash: `hash-${hash}`,
    parent: child ? { runId: RUNS.a.runId, incarnation: world.incarnation("a"), seq: 2 } : null,
    parentClose: child ? "cancel" : null,
    input: `"input ${number}"`,
    state: null,
    attributes: { number: number % 2 },
    readyAt: readyIn === null ? null : world.at(readyIn),
    deadlineAt: deadlineIn === null ? null : world.at(deadlineIn),
    started: { type: "WORKFLOW_STARTED", command: null, at: 1_000, data: `"start ${number}"` },
  };
}

function toClaimRequest(operation: ClaimOperation, world: World): ClaimRequest {
  const { client, queues, kinds, workflows, activities, overdue, inlineEvents, forgets, tasks } = operation;
  const holding = world.holding(client);
  return {
    workerId: `worker-${client}`,
    workerInstance: `worker-${client}-start-${world.start(client)}`,
    holding: forgets ? holding.slice(0, -1) : holding,
    queues,
    kinds,
    handlers: { workflows, activities },
    // Where it is open which tasks come first, all come.
    limit: tasks === null ? operation.limit : 100,
    leaseMs: leaseMs(operation.lease),
    inlineEvents,
    overdue,
    ...(tasks !== null && { taskIds: tasks.map((task) => taskIdOf(task, world.incarnation(task.run))) }),
  };
}

function toMessage({ run, incarnation, slot, external }: MessageChoice, world: World): NewMessage {
  const number = world.number();
  // The engine's own messages are deduplicated by the engine, so their ids are never used again.
  const dedupeId = external ? DEDUPE_IDS[slot] : `inner-${number}`;
  const addressed = { newest: world.incarnation(run), another: "another-incarnation" };
  return {
    runId: RUNS[run].runId,
    ...(incarnation !== "any" && { incarnation: addressed[incarnation] }),
    dedupeId,
    external,
    data: `"message ${number}"`,
  };
}

function toCacheEntry({ key, expiresIn, mode, owner }: CacheChoice, world: World): NewCacheEntry {
  const claim = owner === null ? undefined : fromNewest(world.claims, owner);
  return {
    key: CACHE_KEYS[key],
    value: `"value ${world.number()}"`,
    expiresAt: expiresIn === null ? null : world.at(expiresIn),
    mode,
    ...(claim !== undefined && { owner: claim }),
  };
}

function toQuery(operation: Extract<CallOperation, { do: "list" }>, world: World): RunQuery {
  const { limit, status, workflow, queue, blocked, parent, attribute, createdAfter } = operation;
  return {
    ...(status !== null && { status: [status] }),
    ...(workflow !== null && { workflow }),
    ...(queue !== null && { queue }),
    ...(blocked !== null && { blocked }),
    ...(parent !== null && { parentRunId: RUNS[parent].runId }),
    ...(attribute !== null && { attributes: { number: attribute } }),
    ...(createdAfter !== null && { createdAfter: world.at(createdAfter) }),
    limit,
  };
}
