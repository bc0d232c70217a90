import { setTimeout as sleep } from "node:timers/promises";
import { check, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { processModule } from "../../crash/process-module.ts";
import type { Spawned } from "../../crash/spawned.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { heldRun } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";
import { Worker } from "../../worker.ts";

const PATIENCE_MS = 20_000;

export const secondProcess: ConformanceCase = {
  id: "recovery.second-process",
  level: "L4",
  requires: "one-process",
  invariants: ["I4", "I6", "I29"],
  guards: ["second-process-refused"],
  why: "A store for one process is opened twice in the first deploy: two that write it without knowing of each other destroy it.",
  hint: "A lock that the operating system drops with its process: no file that outlives a SIGKILL. Take it before the first read, for every verb.",
  timeoutMs: 90_000,
  async run(t) {
    const lab = new Supervisor(t);
    const { run, worker, task } = await heldRun(t);
    await unchanged(t, [run.runId], "a second process changes nothing", async () => {
      const intruder = lab.spawn(processModule("intruder-process"), { run: t.make.run() });
      const told = await answers(intruder);
      const last = told.at(-1);
      check(last !== undefined, `the second process says what it is told: ${intruder.stderr}`);
      equal(
        last.code,
        "unavailable",
        `while one process has the store, another one's writes are refused: ${last.message}`,
      );
      equal(told[0]!.code, "unavailable", "and so is its setup");
      check(/process/i.test(told[0]!.message ?? ""), "the error says that another process has the store");
    });
    t.guard("second-process-refused");
    status(await worker.commit(t.make.turn(task, { next: { do: "hold" } })), "ok", "the first goes on");
    await t.backend.close();

    const other = t.make.run();
    const first = lab.spawn(processModule("intruder-process"), { run: other });
    const [opened] = await answers(first);
    equal(opened?.code, "opened", `when it has closed the store, another process may have it: ${first.stderr}`);
    await throws("unavailable", "and then this one may not", () => t.open());
    t.guard("second-process-refused");
    await first.kill();
    const reopened = await t.open();
    check(await reopened.getRun(other.runId), "when that was killed, this one has the store, and what that wrote");
    const again = new Worker(reopened, worker.id, worker.instance);
    const next = t.make.turn(task, { expectedSeq: 2, next: { do: "hold" } });
    status(await again.commit(next), "ok", "and goes on where it was");
  },
};

interface Answer {
  readonly code: string | null;
  readonly message?: string;
}

/** What an intruder was told: complete when it has ended or has the store. */
async function answers(intruder: Spawned): Promise<readonly Answer[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const told = intruder.stderr.split("\n").filter((line) => line.startsWith('{"code":'));
    const all = told.map((line) => JSON.parse(line) as Answer);
    if (intruder.exit !== null || all.at(-1)?.code === "opened" || performance.now() > deadline) return all;
    await sleep(10);
  }
}
