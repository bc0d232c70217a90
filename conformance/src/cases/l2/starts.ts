import { activity, createClient, workflow } from "@perdure/core";
import { contains, equal, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const CALLERS = 200;
const CLIENTS = 5;

export const startCases: readonly ConformanceCase[] = [
  bothWays({
    id: "create.two-hundred-callers-one-key",
    invariants: ["I13", "I15"],
    scenarios: ["S24"],
    guards: ["same-key-other-input-refused"],
    why: "A start is repeated by whoever did not hear the answer: one key is one run, however many ask at once.",
    hint: "Is the run inserted under a unique id, and the loser told of the winner's run?",
    async play(lab) {
      let executions = 0;
      const charge = activity({ name: "charge" }, async (amount: number) => {
        executions++;
        return amount;
      });
      const definition = workflow({ name: "payment", queue: lab.queue }, (ctx, amount: number) =>
        ctx.run(charge, amount),
      );
      await lab.work([definition]);
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, async () => createClient({ storage: await lab.open() })),
      );
      lab.t.onEnd(async () => void (await Promise.all(clients.map((client) => client.close()))));
      const idempotencyKey = `${lab.mode}-order-1`;
      const handles = await Promise.all(
        Array.from({ length: CALLERS }, (_, caller) =>
          clients[caller % CLIENTS]!.start(definition, 42, { idempotencyKey }),
        ),
      );
      const [run] = handles;
      lab.follow("payment", run!.runId);
      equal(new Set(handles.map(({ runId }) => runId)).size, 1, "all callers have the same run (I15)");
      equal(new Set(handles.map(({ incarnation }) => incarnation)).size, 1, "of one incarnation");
      equal(await lab.output(run!), 42, "it ends");
      const again = await lab.client.start(definition, 42, { idempotencyKey });
      equal(await lab.output(again), 42, "who asks when it has ended gets the same run");
      equal(executions, 1, "everything in it is executed once (I13)");
      const refusal: unknown = await lab.client
        .start(definition, 43, { idempotencyKey })
        .catch((error: unknown) => error);
      contains(refusal, { code: "run-exists" }, "the same key with another input is refused");
      lab.t.guard("same-key-other-input-refused");
    },
  }),
  bothWays({
    id: "list.five-runs-of-one-batch",
    invariants: ["I19", "I20"],
    scenarios: ["S20"],
    why: "Runs that were started together have the same time: pages of two show each of them once.",
    async play(lab) {
      const { queue } = lab;
      const definition = workflow({ name: "listed", queue }, async (_ctx, n: number) => n);
      const starts = [1, 2, 3, 4, 5].map((n) => ({
        definition,
        input: n,
        options: { id: lab.follow(`listed-${n}`) },
      }));
      const handles = await lab.client.startMany(starts);
      const started = handles.map(({ runId }) => runId);
      const expected = started.toSorted();
      await lab.t.listed(async () =>
        equal((await pages("open")).toSorted(), expected, "each run stands on one page (I19)"),
      );
      await lab.work([definition]);
      for (const [index, run] of handles.entries()) equal(await lab.output(run), index + 1, "each run ends");
      await lab.t.listed(async () =>
        equal((await pages("completed")).toSorted(), expected, "also when they have ended"),
      );

      async function pages(status: "open" | "completed"): Promise<readonly string[]> {
        const found: string[] = [];
        for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
          const page: Awaited<ReturnType<typeof lab.client.list>> = await lab.client.list(
            { queue, status },
            { limit: 2, cursor },
          );
          found.push(...page.runs.map(({ runId }) => runId));
          cursor = page.cursor;
        }
        unique(found, "no run stands on two pages (I19)");
        return found;
      }
    },
  }),
];
