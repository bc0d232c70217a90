import { memory } from "@perdure/core/memory";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { processModule } from "../../crash/process-module.ts";
import { Script, afterWrites } from "../../crash/script.ts";
import { Supervisor } from "../../crash/supervisor.ts";

const PATIENCE_MS = 15_000;

export const reopen: ConformanceCase = {
  id: "crash.reopen",
  level: "L4",
  requires: "restart",
  invariants: ["I3", "I4"],
  why: "Whoever got an answer acts on it: what the answer spoke of must outlive the process that got it.",
  hint: "Is the answer given before the transaction has ended, or from a buffer that is written later?",
  timeoutMs: 300_000,
  async run(t) {
    const lab = new Supervisor(t);
    const seed = t.random.int(2 ** 31);
    await t.backend.close();
    for (let writes = 1; ; writes++) {
      const expected = await modelAfter(writes, seed);
      if (expected === undefined) break;
      // The script creates the same runs each time. Every other time, and where only one process may have it, nobody else has the store open.
      const namespace = `r${writes}`;
      const watched = writes % 2 === 0 && t.info.capabilities.processes === "many";
      const bystander = watched ? await t.open({ namespace }) : undefined;
      const process = lab.spawn(processModule("client-process"), { namespace: t.namespace(namespace), seed, writes });
      const exit = await process.exitWithin(PATIENCE_MS);
      equal(
        exit?.signal,
        "SIGKILL",
        `the process dies of its own hand after acknowledged write ${writes}: ${process.stderr}`,
      );
      t.count("kills");

      const what = `after acknowledged write ${writes} and a kill, the store shows all of the ${writes} (I4)`;
      const reopened = await t.open({ namespace });
      equal(await new Script(seed).view(reopened), expected, what);
      await reopened.close();
      await bystander?.close();
    }
    await lab.close();
  },
};

/** What the memory backend, as the model, shows after so many writes; undefined: there are not so many. */
async function modelAfter(writes: number, seed: number): Promise<unknown> {
  const model = memory();
  const script = new Script(seed);
  const stop = new Error("That was the last write.");
  const client = afterWrites(model, writes, () => {
    throw stop;
  });
  await client.setup();
  try {
    await script.play(client);
    return undefined;
  } catch (error) {
    if (error !== stop) throw error;
    return script.view(model);
  }
}
