import { memory } from "@perdure/core/memory";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { Script } from "../../crash/script.ts";
import { insist } from "../../crash/traffic.ts";
import { wrapVerbs } from "../../verbs.ts";

export const forgottenCaches: ConformanceCase = {
  id: "recovery.forgotten-caches",
  level: "L4",
  requires: "forgetting",
  invariants: ["I4", "I7"],
  why: "A server that is replaced, or told to, forgets what clients taught it: scripts, prepared statements, plans. That is no data, and nobody may notice.",
  hint: "Is what the server no longer knows taught to it again, and the call made once more, for every verb?",
  async run(t) {
    const seed = t.random.int(2 ** 31);
    const model = memory();
    await model.setup();
    await new Script(seed).play(model);

    const forgetful = wrapVerbs(t.backend, async (_verb, _args, call) => {
      await t.subject.forgetCaches!(t.namespace());
      t.count("forgotten caches");
      return insist(call);
    });
    await new Script(seed).play(forgetful);
    equal(
      await new Script(seed).view(forgetful),
      await new Script(seed).view(model),
      "a store whose server forgets before each call shows what another one does (I4, I7)",
    );
  },
};
