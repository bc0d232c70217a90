import { parseArgs } from "node:util";
import { type Level, LEVELS } from "../level.ts";
import { FAILURES } from "../model/kept-failures.ts";
import { nothingSelected, type RunOptions, selectCases } from "../runner.ts";

export const USAGE = `perdure-conformance BACKEND… [options]

  BACKEND        a module whose default export is the backend under test: ./backend.ts, or a package;
                 in the repository of Perdure also memory, sqlite, postgres, mysql, redis, redis-cluster or cosmos
  --level L1,L3  levels to run; all by default
  --grep TEXT    only cases whose id contains the text, or that play the scenario S14, with all there is to say about
                 their failures
  --seed N       reproduces every choice that cases make by chance; 1 by default
  --bail         stop after the first failure
  --jobs N       so many cases of L1 to L3 at once; 4 by default
  --runs N       random sequences, histories and worlds of L5
  --full         the large numbers
  --json FILE    write the report; a list of reports if there are several backends
  --junit FILE   write it as JUnit's XML, for build servers
  --markdown FILE  write it as a page to read

  How often the nemeses of L4 strike; a nemesis that never did fails its case:
  --kills N         workers are killed
  --zombies N       workers are stopped for longer than their leases
  --cuts N          connections are cut
  --server-kills N  servers are killed
  --blackholes N    workers are cut off for longer than their leases
  --skewed-claims N workers claim under clocks that are off
  --full-disks N    there is no room left to write

perdure-conformance mutants [--json FILE]      break the memory backend in every known way, and see each noticed;
                                               only in the repository of Perdure
perdure-conformance matrix REPORT.json…        the reports as one table, in Markdown
perdure-conformance promises                   every promise and the cases that prove it, in Markdown
`;

/** What the command line asks for. */
export type Command =
  | { readonly do: "help" }
  | {
      readonly do: "run";
      readonly backends: readonly string[];
      readonly options: RunOptions;
      readonly files: ReportFiles;
    }
  | { readonly do: "mutants"; readonly files: ReportFiles }
  | { readonly do: "matrix"; readonly files: readonly string[] }
  | { readonly do: "promises" };

/** Where reports are to be written. */
export interface ReportFiles {
  readonly json?: string | undefined;
  readonly junit?: string | undefined;
  readonly markdown?: string | undefined;
}

/** Reads a command line. @throws Error with one sentence about what cannot be understood. */
export function readArguments(args: readonly string[]): Command {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      level: { type: "string" },
      grep: { type: "string" },
      seed: { type: "string" },
      jobs: { type: "string" },
      kills: { type: "string" },
      zombies: { type: "string" },
      cuts: { type: "string" },
      "server-kills": { type: "string" },
      blackholes: { type: "string" },
      "skewed-claims": { type: "string" },
      "full-disks": { type: "string" },
      runs: { type: "string" },
      bail: { type: "boolean" },
      full: { type: "boolean" },
      json: { type: "string" },
      junit: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [first, ...rest] = positionals;
  if (values.help === true || first === undefined) return { do: "help" };
  const files: ReportFiles = { json: values.json, junit: values.junit, markdown: values.markdown };
  if (first === "mutants" || first === "promises") {
    if (rest.length > 0) throw new Error(`${first} stands alone: leave out ${rest.join(" ")}.`);
    return first === "mutants" ? { do: "mutants", files } : { do: "promises" };
  }
  if (first === "matrix") {
    if (rest.length === 0) throw new Error("Give the files of some reports, as `--json` writes them.");
    return { do: "matrix", files: rest };
  }
  const options: RunOptions = {
    ...(values.level !== undefined && { levels: readLevels(values.level) }),
    ...(values.grep !== undefined && { grep: values.grep }),
    ...whole("seed", values.seed),
    ...whole("jobs", values.jobs),
    ...whole("kills", values.kills),
    ...whole("zombies", values.zombies),
    ...whole("cuts", values.cuts),
    ...whole("serverKills", values["server-kills"], "server-kills"),
    ...whole("blackholes", values.blackholes),
    ...whole("skewedClaims", values["skewed-claims"], "skewed-claims"),
    ...whole("fullDisks", values["full-disks"], "full-disks"),
    ...whole("runs", values.runs),
    failures: FAILURES,
    bail: values.bail ?? false,
    full: values.full ?? false,
  };
  if (options.jobs === 0) throw new Error("--jobs 0 runs nothing. Give 1 or more.");
  if (selectCases(options).length === 0) throw nothingSelected(options);
  return { do: "run", backends: positionals, options, files };
}

function readLevels(text: string): readonly Level[] {
  if (text === "all") return LEVELS;
  return text.split(",").map((word) => {
    const level = LEVELS.find((one) => one === word || one === `L${word}`);
    if (level === undefined) throw new Error(`There is no level ${word}. Give some of ${LEVELS.join(", ")}, or all.`);
    return level;
  });
}

function whole<K extends string>(
  name: K,
  text: string | undefined,
  flag: string = name,
): { readonly [key in K]?: number } {
  if (text === undefined) return {};
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(Number(text)))
    throw new Error(`--${flag} ${text} is not a whole number.`);
  return { [name]: Number(text) } as { readonly [key in K]: number };
}
