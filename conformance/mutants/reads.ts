import {
  encodeCursor,
  type EventPage,
  type Page,
  type Run,
  type RunQuery,
  type RunSummary,
  type StorageBackend,
} from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** The whole list, paged by the number of rows before: in an order of our own, if one is given. */
function byOffset(honest: StorageBackend, sort?: (a: RunSummary, b: RunSummary) => number): Partial<StorageBackend> {
  return {
    async listRuns({ cursor, limit, ...query }: RunQuery): Promise<Page<RunSummary>> {
      const { items } = await honest.listRuns({ ...query, limit: 1000 });
      const rows = sort === undefined ? items : items.toSorted(sort);
      const from = Number(cursor ?? 0);
      return {
        items: rows.slice(from, from + limit),
        cursor: from + limit < rows.length ? String(from + limit) : null,
      };
    },
  };
}

export const readMutants: readonly Mutant[] = [
  mutant({
    name: "list-without-tie-break",
    breaks: "Runs of one moment stand in any order.",
    killedBy: ["list.equal-times-in-byte-order"],
    plant: () => (honest) => byOffset(honest, (a, b) => b.createdAt - a.createdAt || (a.runId < b.runId ? -1 : 1)),
  }),
  mutant({
    name: "cursor-by-offset",
    breaks: "A cursor counts rows: what is written between two pages shifts them.",
    killedBy: ["list.paging-under-writes", "list.paging-while-status-changes", "list.foreign-cursor"],
    plant: () => (honest) => byOffset(honest),
  }),
  mutant({
    name: "run-read-from-a-copy",
    breaks: "A run is read from a copy that is some milliseconds behind.",
    killedBy: ["list.lags-alone"],
    plant() {
      const copies = new Map<string, { readonly run: Run | undefined; readonly since: number }>();
      return (honest) => ({
        async getRun(runId) {
          const copy = copies.get(runId);
          if (copy !== undefined && performance.now() - copy.since < 100) return copy.run;
          const run = await honest.getRun(runId);
          copies.set(runId, { run, since: performance.now() });
          return run;
        },
      });
    },
  }),
  mutant({
    name: "stats-drift",
    breaks: "Counters are kept beside the data, and count a start that found its run.",
    killedBy: ["list.stats-of-runs", "create.fifty-callers-one-run"],
    plant() {
      const extra = new Map<string, number>();
      return (honest, { namespace }) => ({
        async createRuns(runs) {
          const answers = await honest.createRuns(runs);
          const found = answers.filter(({ status }) => status === "existing").length;
          extra.set(namespace, (extra.get(namespace) ?? 0) + found);
          return answers;
        },
        async stats() {
          const stats = await honest.stats();
          return { ...stats, runs: { ...stats.runs, open: stats.runs.open + (extra.get(namespace) ?? 0) } };
        },
      });
    },
  }),
  mutant({
    name: "live-objects-handed-out",
    breaks: "Two readers are given the same objects.",
    killedBy: ["payload.copied-out"],
    plant() {
      const live = new Map<string, EventPage>();
      return (honest) => ({
        async readEvents(requests) {
          const pages = await honest.readEvents(requests);
          return pages.map((page, index) => {
            const key = `${JSON.stringify(requests[index])} ${page.lastSeq}`;
            live.set(key, live.get(key) ?? page);
            return live.get(key)!;
          });
        },
      });
    },
  }),
  mutant({
    name: "event-pages-miss-one",
    breaks: "The second page begins one event too late.",
    killedBy: ["events.pages", "events.batch-of-requests", "model.fork-anywhere"],
    plant: () => (honest) => ({
      readEvents: (requests) =>
        honest.readEvents(requests.map((one) => (one.after > 0 ? { ...one, after: one.after + 1 } : one))),
    }),
  }),
  mutant({
    name: "inline-events-ignore-the-base",
    breaks: "Events before the last continue-as-new travel with the claim.",
    killedBy: ["events.base-seq"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const tasks = await Promise.all(
          result.tasks.map(async (task) => {
            if (task.kind === "activity" || task.events === null) return task;
            const [page] = await honest.readEvents([{ runId: task.claim.runId, after: 0 }]);
            return { ...task, events: page!.events };
          }),
        );
        return { ...result, tasks };
      },
    }),
  }),
  mutant({
    name: "last-page-has-a-cursor",
    breaks: "A page that is full names a next one, also when there is none.",
    killedBy: ["list.pages"],
    plant: () => (honest) => ({
      async listRuns(query) {
        const { items, cursor } = await honest.listRuns(query);
        const last = items.at(-1);
        return { items, cursor: last !== undefined && items.length === query.limit ? encodeCursor(last) : cursor };
      },
    }),
  }),
  mutant({
    name: "queues-by-code-units",
    breaks: "Queues come in the order of JavaScript's strings.",
    killedBy: ["list.stats-in-byte-order"],
    plant: () => (honest) => ({
      async stats() {
        const stats = await honest.stats();
        return { ...stats, queues: stats.queues.toSorted((a, b) => (a.queue < b.queue ? -1 : 1)) };
      },
    }),
  }),
  mutant({
    name: "ended-blocks-count-as-blocked",
    breaks: "A block whose time has come still counts as one.",
    killedBy: ["list.stats-follow-time"],
    plant() {
      const ends: number[] = [];
      return (honest) => ({
        commitTasks(commits) {
          for (const { next } of commits) if (next.do === "block" && next.until !== null) ends.push(next.until);
          return honest.commitTasks(commits);
        },
        async stats() {
          const stats = await honest.stats();
          const ended = ends.filter((until) => until <= stats.now).length;
          const queues = stats.queues.map((one) => ({
            ...one,
            ready: one.ready - ended,
            blocked: one.blocked + ended,
          }));
          return { ...stats, queues };
        },
      });
    },
  }),
];
