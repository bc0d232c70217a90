import { memory } from "@perdure/core/memory";
import { type ClaimedTask, parseTaskId, type TaskId } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Bugs that spare whom a call names, and hit who has the same numbers, or a neighbouring key. */
export const neighbourMutants: readonly Mutant[] = [
  mutant({
    name: "ack-takes-from-all",
    breaks: "Taking messages out of one inbox takes those of the same numbers out of all.",
    killedBy: ["commit.spares-other-runs"],
    plant() {
      let taken = 0;
      return (honest) => ({
        commitTasks(commits) {
          for (const commit of commits) if (commit.kind === "workflow") taken = Math.max(taken, commit.ackInbox);
          return honest.commitTasks(commits);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task): ClaimedTask => {
            if (task.kind === "activity") return task;
            return { ...task, messages: task.messages.filter(({ no }) => no > taken) };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "inline-events-of-another",
    breaks: "The events that travel with a claim are those of the newest run.",
    killedBy: ["commit.spares-other-runs"],
    plant() {
      let newest = "";
      return (honest) => ({
        createRuns(runs) {
          newest = runs.at(-1)?.runId ?? newest;
          return honest.createRuns(runs);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const [page] = await honest.readEvents([{ runId: newest, after: 0 }]);
          const tasks = result.tasks.map((task): ClaimedTask =>
            task.kind === "activity" ? task : { ...task, events: page!.events },
          );
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "cancel-by-number",
    breaks: "A turn that cancels an activity deletes those of the same number in all runs.",
    killedBy: ["commit.spares-other-runs"],
    plant() {
      const gone = new Set<number>();
      return (honest) => ({
        commitTasks(commits) {
          for (const commit of commits) {
            if (commit.kind === "workflow")
              for (const taskId of commit.cancel ?? []) gone.add(parseTaskId(taskId)!.seq);
          }
          return honest.commitTasks(commits);
        },
        async renewLeases(claims, leaseMs) {
          const answers = await honest.renewLeases(claims, leaseMs);
          return answers.map((answer, index) =>
            gone.has(parseTaskId(claims[index]!.taskId)!.seq) ? { status: "lost" } : answer,
          );
        },
      });
    },
  }),
  mutant({
    name: "turns-forgive-activities",
    breaks: "A turn of a run starts the count of its activities' deliveries anew.",
    killedBy: ["commit.spares-own-activities"],
    plant() {
      const counts = new Map<TaskId, number>();
      return (honest) => ({
        commitTasks(commits) {
          for (const { kind, claim } of commits) {
            if (kind === "workflow")
              for (const id of counts.keys()) if (parseTaskId(id)!.runId === claim.runId) counts.set(id, 0);
          }
          return honest.commitTasks(commits);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task): ClaimedTask => {
            if (task.kind === "workflow") return task;
            const deliveries = (counts.get(task.claim.taskId) ?? 0) + 1;
            counts.set(task.claim.taskId, deliveries);
            return { ...task, deliveries };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "attempts-of-a-run",
    breaks: "An activity that is retried sets the attempt of all activities of its run.",
    killedBy: ["commit.activity-spares-its-siblings"],
    plant() {
      const attempts = new Map<string, number>();
      return (honest) => ({
        commitTasks(commits) {
          for (const { next, claim } of commits) if (next.do === "retry") attempts.set(claim.runId, next.attempt);
          return honest.commitTasks(commits);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task): ClaimedTask => {
            if (task.kind === "workflow") return task;
            return { ...task, task: { ...task.task, attempt: attempts.get(task.claim.runId) ?? task.task.attempt } };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "kinds-found-by-name",
    breaks: "Tasks are found by queue and name: who asks for workflows gets activities of these names, too.",
    killedBy: ["claim.kinds-are-apart"],
    plant: () => (honest) => ({
      claimTasks(request) {
        const names = [
          ...(request.kinds.includes("workflow") ? request.handlers.workflows : []),
          ...(request.kinds.includes("activity") ? request.handlers.activities : []),
        ];
        const handlers = { workflows: names, activities: names };
        return honest.claimTasks({ ...request, kinds: ["workflow", "activity"], handlers });
      },
    }),
  }),
  mutant({
    name: "next-ready-at-of-any-queue",
    breaks: "Who got something, and has room for more, is told of what is ready on any queue.",
    killedBy: ["claim.next-ready-at-beside-a-task"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const { queues } = await honest.stats();
        const ready = queues.find(({ oldestReadyAt }) => oldestReadyAt !== null)?.oldestReadyAt ?? null;
        return result.tasks.length === 0 ? result : { ...result, nextReadyAt: ready ?? result.nextReadyAt };
      },
    }),
  }),
  mutant({
    name: "replacing-clears-the-cache",
    breaks: "An entry that is replaced takes all others of its namespace along.",
    killedBy: ["cache.spares-other-entries"],
    plant() {
      const keys = new Set<string>();
      return (honest) => ({
        async writeCache(entries) {
          for (const { mode } of entries) {
            if (mode !== "replace") continue;
            await honest.writeCache([...keys].map((key) => ({ key, value: "", expiresAt: 0, mode })));
          }
          for (const { key } of entries) keys.add(key);
          return honest.writeCache(entries);
        },
      });
    },
  }),
  mutant({
    name: "overdue-everywhere",
    breaks: "Who takes overdue runs gets those of all namespaces.",
    killedBy: ["namespace.nothing-is-seen"],
    plant() {
      const namespaces = new Set<string>();
      return (honest, { namespace, store, storeClock: clock }) => {
        namespaces.add(namespace);
        return {
          async claimTasks(request) {
            const result = await honest.claimTasks(request);
            if (!request.overdue) return result;
            const tasks = [...result.tasks];
            for (const other of namespaces) {
              if (other === namespace) continue;
              const overdue = { ...request, queues: [], limit: 1 };
              tasks.push(...(await memory({ namespace: other, store, clock }).claimTasks(overdue)).tasks);
            }
            return { ...result, tasks };
          },
        };
      };
    },
  }),
  mutant({
    name: "repeats-known-by-id",
    breaks: "Whether a commit was the last of a run that is done is looked up by the run's id in any namespace.",
    killedBy: ["namespace.repeats-are-known-in-each"],
    plant() {
      const applied = new Set<string>();
      return (honest) => ({
        async commitTasks(commits) {
          const answers = await honest.commitTasks(commits);
          return answers.map((answer, index) => {
            const { claim, commitId } = commits[index]!;
            const name = `${claim.taskId} ${commitId}`;
            if (answer.status === "ok") applied.add(name);
            if (answer.status !== "lease-lost" || !applied.has(name)) return answer;
            return { status: "duplicate", held: false, now: 0, leaseUntil: null, inboxLast: 0, messages: [] };
          });
        },
      });
    },
  }),
  mutant({
    name: "forgetting-empties-the-inbox",
    breaks: "When old ids are forgotten, all messages of the run go with them.",
    killedBy: ["inbox.forgetting-spares-the-rest"],
    plant() {
      const born = new Map<string, number>();
      return (honest, { storeClock }) => ({
        async deliver(messages) {
          for (const { runId } of messages) if (!born.has(runId)) born.set(runId, storeClock.now());
          return honest.deliver(messages);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task): ClaimedTask => {
            const age = storeClock.now() - (born.get(task.claim.runId) ?? Infinity);
            const isOld = task.kind === "workflow" && task.inboxAcked > 1 && age > honest.info.limits.dedupeMs;
            return isOld ? { ...task, messages: [] } : task;
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "holding-known-to-the-client",
    breaks: "Of what a worker says that it holds, a client knows only what it handed out itself.",
    killedBy: ["claim.lost-reply-through-another-client"],
    plant: () => (honest) => {
      const own = new Set<TaskId>();
      return {
        async claimTasks(request) {
          const holding = request.holding.filter((taskId) => own.has(taskId));
          const result = await honest.claimTasks({ ...request, holding });
          for (const { claim } of result.tasks) own.add(claim.taskId);
          return result;
        },
      };
    },
  }),
  mutant({
    name: "acks-take-outcomes",
    breaks: "An ack removes all messages that are not external, also those behind it.",
    killedBy: ["inbox.ack-in-parts"],
    plant() {
      const internal = new Map<string, Set<string>>();
      const acked = new Set<string>();
      return (honest) => ({
        deliver(messages) {
          for (const { runId, dedupeId, external } of messages) {
            if (!external) internal.set(runId, (internal.get(runId) ?? new Set()).add(dedupeId));
          }
          return honest.deliver(messages);
        },
        async commitTasks(commits) {
          for (const one of commits) if (one.kind === "workflow" && one.ackInbox > 0) acked.add(one.claim.runId);
          const answers = await honest.commitTasks(commits);
          return answers.map((answer, index) => {
            const { runId } = commits[index]!.claim;
            if (answer.status !== "ok" || !acked.has(runId)) return answer;
            const messages = answer.messages.filter(({ dedupeId }) => !internal.get(runId)?.has(dedupeId));
            return { ...answer, messages };
          });
        },
      });
    },
  }),
];
