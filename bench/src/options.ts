import { parseArgs } from "node:util";
import { skippedBackends } from "perdure-servers/skipped";
import { backends } from "./backends/index.ts";
import type { Backend } from "./backends/backend.ts";
import { workloads } from "./workloads/index.ts";
import type { Workload } from "./workloads/workload.ts";

/** What a call of the benchmark asks for. */
export interface Options {
  readonly backends: readonly Backend[];
  readonly workloads: readonly Workload[];
  /** Every figure is measured this often, all backends in turn. */
  readonly repeat: number;
  /** Every count of runs and activities is multiplied by this. */
  readonly scale: number;
  /** Leaves out what only waits. */
  readonly quick: boolean;
  /** W1 is measured with processes that have done it a few times already. */
  readonly warm: boolean;
  /** W1 is done once more under the profiler. */
  readonly profile: boolean;
  readonly json: string | null;
  readonly writeResults: boolean;
  readonly help: boolean;
}

/** The command line is wrong; the message says what, and what would be right. */
export class OptionError extends Error {}

const FLAGS = {
  backends: { type: "string" },
  workloads: { type: "string" },
  repeat: { type: "string" },
  scale: { type: "string" },
  json: { type: "string" },
  quick: { type: "boolean" },
  profile: { type: "boolean" },
  cold: { type: "boolean" },
  "write-results": { type: "boolean" },
  help: { type: "boolean" },
} as const;

export const usage = `npm run bench -- [options]

  --backends a,b     of: ${names(backends)} (default: all but those in PERDURE_SKIP_BACKENDS)
  --workloads W1,W2  of: ${names(workloads)} (default: all)
  --repeat n         measures everything n times (default: 3)
  --scale x          multiplies every number of runs and activities by x (default: 1)
  --quick            waits less: W2 without idleness, W6 and W8 for a moment
  --cold             measures W1 with processes that have just been started (by default they have done it a few times)
  --json file        writes the rows to a file
  --profile          does W1 once more under the profiler: leaves .cpuprofile files, prints the busiest functions
  --write-results    writes bench/RESULTS.md`;

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const flags = parseFlags(args);
  const options: Options = {
    backends: chosen("backend", flags.backends, backends, usualBackends()),
    workloads: chosen("workload", flags.workloads, workloads, workloads),
    repeat: requireNumber("repeat", flags.repeat ?? "3", (n) => Number.isInteger(n) && n >= 1, "a whole number from 1"),
    scale: requireNumber("scale", flags.scale ?? "1", (n) => n > 0 && n <= 1000, "a number above 0, at most 1000"),
    quick: flags.quick ?? false,
    warm: flags.cold !== true,
    profile: flags.profile ?? false,
    json: flags.json ?? null,
    writeResults: flags["write-results"] ?? false,
    help: flags.help ?? false,
  };
  if (options.profile && !options.workloads.some(({ name }) => name === "W1")) {
    throw new OptionError("--profile profiles W1, and --workloads does not name it. Add W1.");
  }
  return options;
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

interface Named {
  readonly name: string;
}

function names(all: readonly Named[]): string {
  return all.map(({ name }) => name).join(", ");
}

/** All but those that are left out on this machine. */
function usualBackends(): readonly Backend[] {
  const skipped = skippedBackends();
  return backends.filter(({ name }) => !skipped.includes(name));
}

function chosen<T extends Named>(
  what: string,
  list: string | undefined,
  all: readonly T[],
  usual: readonly T[],
): readonly T[] {
  if (list === undefined) return usual;
  const wanted = list.split(",").map((name) => name.trim());
  return [...new Set(wanted)].map((name) => {
    const found = all.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new OptionError(`There is no ${what} "${name}". Choose from: ${names(all)}.`);
  });
}

function requireNumber(flag: string, text: string, isGood: (value: number) => boolean, rule: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (isGood(value)) return value;
  throw new OptionError(`--${flag} must be ${rule}, not "${text}".`);
}
