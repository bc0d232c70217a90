import { setImmediate } from "node:timers/promises";
import { memory } from "@perdure/core/memory";
import { StorageError, type WorkflowCommit } from "@perdure/core/storage";
import { forwarding, mutant, type Mutant } from "./mutant.ts";

export const storeMutants: readonly Mutant[] = [
  mutant({
    name: "setup-not-idempotent",
    breaks: "Only the first setup of a store succeeds.",
    killedBy: ["setup.idempotent", "setup.ten-clients-at-once"],
    plant() {
      const done = new Set<string>();
      return (_honest, { namespace }) => ({
        async setup() {
          if (done.has(namespace)) throw new StorageError("misconfigured", "The table is there already.");
          done.add(namespace);
        },
      });
    },
  }),
  mutant({
    name: "program-never-taught-again",
    breaks: "One verb is lost with what the server has forgotten.",
    killedBy: ["recovery.forgotten-caches"],
    plant:
      () =>
      (honest, { forgotten }) => ({
        async unblockTasks(...args) {
          if (forgotten() > 0) throw new StorageError("misconfigured", "There is no program of that name.");
          return honest.unblockTasks(...args);
        },
      }),
  }),
  mutant({
    name: "clock-trembles",
    breaks: "The store adds a little chance to the clock that it is given.",
    killedBy: ["model.simulation-repeats"],
    plant:
      () =>
      (_honest, { storeClock }) =>
        forwarding(memory({ clock: { now: () => storeClock.now() + Math.floor(Math.random() * 3) } })),
  }),
  mutant({
    name: "closed-client-goes-on",
    breaks: "A client works after it was closed.",
    killedBy: ["setup.closed-client-refuses"],
    plant: () => () => ({ close: async () => {} }),
  }),
  mutant({
    name: "close-cuts-verbs-off",
    breaks: "A close ends the connections that verbs are about to use.",
    killedBy: ["setup.close-lets-verbs-finish"],
    plant: () => (honest) => ({
      async createRuns(runs, options) {
        await setImmediate();
        return honest.createRuns(runs, options);
      },
    }),
  }),
  mutant({
    name: "close-waits-for-nothing",
    breaks: "A close has resolved while verbs are still writing.",
    killedBy: ["setup.close-lets-verbs-finish"],
    plant:
      () =>
      (honest, { namespace, store, storeClock: clock }) => ({
        async createRuns(runs, options) {
          const late = memory({ namespace, store, clock });
          if (runs.length === 0) return honest.createRuns(runs, options);
          await setImmediate();
          return late.createRuns(runs, options);
        },
      }),
  }),
  mutant({
    name: "namespaces-leak",
    breaks: "All namespaces of a store are one.",
    killedBy: ["namespace.same-ids", "namespace.nothing-is-seen", "namespace.claims-are-of-one"],
    plant:
      () =>
      (_honest, { store, storeClock }) =>
        forwarding(memory({ namespace: "all", store, clock: storeClock })),
  }),
  mutant({
    name: "cache-shared-by-namespaces",
    breaks: "Cache keys lack the namespace.",
    killedBy: ["namespace.nothing-is-seen"],
    plant:
      () =>
      (_honest, { store, storeClock }) => {
        const all = memory({ namespace: "all", store, clock: storeClock });
        return {
          readCache: (keys) => all.readCache(keys),
          writeCache: (entries) => all.writeCache(entries.map(({ owner: _owner, ...entry }) => entry)),
        };
      },
  }),
  mutant({
    name: "purge-by-status",
    breaks: "Purge takes runs that have ended but still owe their parent a message.",
    killedBy: ["purge.waits-for-done"],
    plant() {
      const closing = new Map<string, WorkflowCommit>();
      return (honest) => ({
        async commitTasks(commits) {
          for (const commit of commits)
            if (commit.kind === "workflow" && commit.close) closing.set(commit.claim.runId, commit);
          return honest.commitTasks(commits);
        },
        async purgeRuns(request) {
          for (const { claim, ackInbox } of closing.values()) {
            const { lastSeq: expectedSeq = 1 } = (await honest.getRun(claim.runId)) ?? {};
            const done = { kind: "workflow", claim, commitId: "purge", expectedSeq, events: [], ackInbox } as const;
            await honest.commitTasks([{ ...done, next: { do: "done" } }]);
          }
          return honest.purgeRuns(request);
        },
      });
    },
  }),
  mutant({
    name: "purge-takes-the-living",
    breaks: "Purge goes by the age of a run alone: open ones vanish, too.",
    killedBy: ["purge.spares-the-living"],
    plant() {
      const gone = new Set<string>();
      return (honest) => ({
        async getRun(runId) {
          return gone.has(runId) ? undefined : honest.getRun(runId);
        },
        async purgeRuns(request) {
          const { purged, more } = await honest.purgeRuns(request);
          const { items } = await honest.listRuns({
            status: ["open"],
            createdBefore: request.closedBefore,
            limit: 1000,
          });
          for (const { runId } of items) gone.add(runId);
          return { purged: purged + items.length, more };
        },
      });
    },
  }),
  mutant({
    name: "purge-by-an-old-list",
    breaks: "A purge goes through the runs that had ended some time ago, and asks nothing but their ids.",
    killedBy: ["purge.spares-who-has-the-id-now"],
    plant() {
      const [listed, gone] = [new Set<string>(), new Set<string>()];
      return (honest) => ({
        async getRun(runId) {
          return gone.has(runId) ? undefined : honest.getRun(runId);
        },
        async purgeRuns(request) {
          for (const runId of listed) gone.add(runId);
          const { items } = await honest.listRuns({ status: ["completed"], limit: 1000 });
          for (const { runId } of items) listed.add(runId);
          const { purged, more } = await honest.purgeRuns(request);
          return { purged: purged + gone.size, more };
        },
      });
    },
  }),
  mutant({
    name: "hints-never-come",
    breaks: "Wake-ups are declared, and nothing ever calls.",
    killedBy: ["inbox.hint"],
    plant: () => () => ({ subscribe: async () => ({ add: () => {}, delete: () => {}, close: async () => {} }) }),
  }),
  mutant({
    name: "hints-never-end",
    breaks: "A closed subscription still calls.",
    killedBy: ["claim.hint-ends"],
    plant: () => (honest) => ({
      subscribe: async (onWake) => ({ ...(await honest.subscribe!(onWake)), close: async () => {} }),
    }),
  }),
  mutant({
    name: "purge-frees-nothing",
    breaks: "A purged run is hidden, and keeps its id.",
    killedBy: ["purge.frees-the-id", "fence.zombie-of-a-recreated-run"],
    plant() {
      const hidden = new Set<string>();
      return (honest) => ({
        async getRun(runId) {
          const run = await honest.getRun(runId);
          return hidden.has(runId) ? undefined : run;
        },
        async purgeRuns({ closedBefore, minAgeMs = 0, limit }) {
          const ended = await honest.listRuns({ status: ["completed", "failed", "cancelled"], limit: 1000 });
          const now = await honest.now();
          const old = ended.items.filter(
            ({ closedAt, task, runId }) =>
              task === null && closedAt! < closedBefore && closedAt! <= now - minAgeMs && !hidden.has(runId),
          );
          for (const { runId } of old.slice(0, limit)) hidden.add(runId);
          return { purged: Math.min(old.length, limit), more: old.length > limit };
        },
      });
    },
  }),
  mutant({
    name: "purge-ignores-parents",
    breaks: "A finished child is purged while its parent may still ask for it.",
    killedBy: ["purge.children-of-open-parents-stay", "purge.kept-runs-do-not-block-the-step"],
    plant: () => (honest) => ({
      createRuns: (runs) => honest.createRuns(runs.map((run) => ({ ...run, parent: null }))),
    }),
  }),
  mutant({
    name: "purge-ignores-age",
    breaks: "A run is purged as soon as it has ended.",
    killedBy: ["purge.by-age", "purge.default-age-is-an-hour"],
    plant: () => (honest) => ({ purgeRuns: (request) => honest.purgeRuns({ ...request, minAgeMs: 0 }) }),
  }),
  mutant({
    name: "purge-ignores-the-filter",
    breaks: "A purge by status takes the others along.",
    killedBy: ["purge.filters"],
    plant: () => (honest) => ({ purgeRuns: ({ status: _status, ...request }) => honest.purgeRuns(request) }),
  }),
  mutant({
    name: "purge-without-a-cap",
    breaks: "A purge takes as many runs as it is asked to, at once.",
    killedBy: ["purge.limit-is-capped"],
    plant: () => (honest) => ({
      async purgeRuns(request) {
        let purged = 0;
        for (let more = true; more && purged < request.limit;) {
          const step = await honest.purgeRuns({ ...request, limit: request.limit - purged });
          purged += step.purged;
          more = step.more && step.purged > 0;
        }
        return { purged, more: false };
      },
    }),
  }),
];
