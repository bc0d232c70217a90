import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { type RecordedRun, recordedRuns } from "../../crash/recorded-run.ts";
import { flowingTime } from "../../flow.ts";
import { checkRun } from "./check-run.ts";
import { Lab, outline } from "./lab.ts";

/** A case of the level, as its authors write it. */
interface ReplayCase extends Omit<ConformanceCase, "level" | "run"> {
  /** What happens, and what must come of it: the same in both modes. */
  readonly play: (lab: Lab) => Promise<void>;
  /** What is to be looked at when nothing goes on any more. */
  readonly afterwards?: (lab: Lab) => Promise<void>;
}

/** A case that is played with runs kept in memory and with none, both at once. The histories must say the same, and replay. */
export function bothWays({ play, afterwards, ...about }: ReplayCase): ConformanceCase {
  return {
    ...about,
    level: "L2",
    async run(t) {
      const flowing = await flowingTime(t);
      const labs = (["sticky", "cold"] as const).map((mode) => new Lab({ t, mode, flowing }));
      await Promise.all(labs.map((lab) => play(lab)));
      for (const lab of labs) await afterwards?.(lab);
      await judge(t, labs);
    },
  };
}

async function judge(t: CaseContext, labs: readonly Lab[]): Promise<void> {
  const replayed = new Set<string>();
  const outlines: unknown[] = [];
  for (const lab of labs) {
    const { storage, definitions, runs } = lab;
    const said: unknown[] = [];
    for (const [name, runId] of runs) {
      for (const record of await overRuns(lab, runId)) {
        said.push([name, outline(record.history)]);
        t.count("prefixes", await checkRun(record, { storage, definitions, random: t.random, replayed }));
      }
    }
    outlines.push(said);
  }
  await t.listed(async () => {
    const { queues } = await t.backend.stats();
    equal(
      queues.filter(({ kind }) => kind === "activity"),
      [],
      "no activity is left for anybody when all runs are over (I12)",
    );
  });
  equal(
    outlines[1],
    outlines[0],
    "runs record the same whether they stay in memory or are replayed at every turn (I14)",
  );
}

/** A run and all that it started, when each is over and has told whom that concerns. */
async function overRuns(lab: Lab, runId: string): Promise<readonly RecordedRun[]> {
  let records: readonly RecordedRun[] = [];
  await lab.until(`run "${runId}" and its children are over`, async () => {
    records = await recordedRuns(lab.storage, lab.client, runId);
    return records.every(({ run }) => run.status !== "open" && run.task === null);
  });
  return records;
}
