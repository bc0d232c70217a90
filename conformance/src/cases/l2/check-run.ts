import { setImmediate } from "node:timers/promises";
import type { StorageBackend } from "@perdure/core/storage";
import { type Command, type ExportedHistory, exportHistory, replayHistory } from "@perdure/core/testing";
import { check } from "../../assert.ts";
import { checkGrammar } from "../../crash/check-history.ts";
import type { RecordedRun } from "../../crash/recorded-run.ts";
import { ConformanceFailure } from "../../failure.ts";
import type { Random } from "../../random.ts";
import type { Definition } from "./lab.ts";

/** Of a history up to this long, every prefix is replayed. */
const ALL_PREFIXES = 300;
/** Of a longer one, so many. */
const SOME_PREFIXES = 50;

interface RunChecks {
  readonly storage: StorageBackend;
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly random: Random;
  /** Histories that were replayed already: one that says the same is not replayed again. */
  readonly replayed: Set<string>;
}

/**
 * A run that has ended has a dense history (I1) of good grammar (I5), and every prefix of it, replayed cold, has the code ask for the
 * same (I14). Answers the number of prefixes.
 */
export async function checkRun(
  record: RecordedRun,
  { storage, definitions, random, replayed }: RunChecks,
): Promise<number> {
  checkGrammar(record);
  const { runId, workflow } = record.run;
  const said = JSON.stringify([workflow, record.history.map(({ type, command, data }) => [type, command, data])]);
  if (replayed.has(said)) return 0;
  replayed.add(said);

  const definition = definitions.get(workflow);
  check(definition, `the case has the code of workflow "${workflow}"`);
  const exported = await exportHistory(storage, runId);
  try {
    await replayPrefixes(definition, exported, random);
  } catch (error) {
    throw new ConformanceFailure(`every prefix of the history of run "${runId}" replays to the same commands (I14)`, {
      expected: "the same commands",
      actual: error,
    });
  }
  return Math.min(exported.events.length, exported.events.length <= ALL_PREFIXES ? Infinity : SOME_PREFIXES);
}

async function replayPrefixes(definition: Definition, exported: ExportedHistory, random: Random): Promise<void> {
  const { length } = exported.events;
  const { commands } = await replayHistory(definition, exported, { prefixes: length <= ALL_PREFIXES });
  if (length <= ALL_PREFIXES) return;
  const whole = commands.map(line);
  for (let count = 0; count < SOME_PREFIXES; count++) {
    // A replay gives nobody else a turn.
    await setImmediate();
    const events = exported.events.slice(0, 1 + random.int(length - 1));
    const replay = await replayHistory(definition, { ...exported, events });
    for (const [index, command] of replay.commands.entries()) {
      check(
        line(command) === whole[index],
        `command ${index + 1} is the same after ${events.length} of ${length} events`,
      );
    }
  }
}

function line({ number, type, name }: Command): string {
  return `${number} ${type} ${name}`;
}
