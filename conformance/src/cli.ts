#!/usr/bin/env node
import { CASES } from "./cases/index.ts";
import { type ReportFiles, readArguments, USAGE } from "./cli/arguments.ts";
import { CurrentWork } from "./cli/current-work.ts";
import { findSubject } from "./cli/find-subject.ts";
import { runMutants } from "./cli/mutants.ts";
import { readReports } from "./cli/read-reports.ts";
import { Interrupted, interrupts } from "./cli/interrupts.ts";
import { emptyReports, writeReports } from "./cli/write-reports.ts";
import { type ConformanceReport, isPass } from "./report.ts";
import { matrix } from "./reporters/matrix.ts";
import { promises } from "./reporters/promises.ts";
import { caseLine, summary } from "./reporters/summary.ts";
import { type RunOptions, runConformance } from "./runner.ts";
import type { BackendUnderTest } from "./subject.ts";

/** Runs a command line; answers with the exit code: 0 only if every applicable case passed. */
async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const command = readArguments(args);
  switch (command.do) {
    case "help":
      print(USAGE);
      return args.length === 0 ? 2 : 0;
    case "matrix":
      print(matrix(await readReports(command.files)));
      return 0;
    case "promises":
      print(promises(CASES));
      return 0;
    case "mutants": {
      await emptyReports(command.files);
      const report = await runMutants(print);
      const killed = report.mutants?.filter(({ killedBy }) => killedBy !== null).length ?? 0;
      print(`\n${killed} of ${report.mutants?.length ?? 0} mutants killed\n`);
      return end([report], command.files, print);
    }
    case "run": {
      await emptyReports(command.files);
      const subjects: (readonly [word: string, subject: BackendUnderTest])[] = [];
      for (const word of command.backends) subjects.push([word, await find(word)]);
      const reports: ConformanceReport[] = [];
      for (const [word, subject] of subjects) reports.push(await runOne(word, subject, command.options, print));
      return end(reports, command.files, print);
    }
    default:
      return command satisfies never;
  }
}

async function find(word: string): Promise<BackendUnderTest> {
  const work = `the import of ${word}`;
  current.begin(work);
  const subject = await findSubject(word);
  current.end(work);
  return subject;
}

async function runOne(
  word: string,
  subject: BackendUnderTest,
  options: RunOptions,
  print: (line: string) => void,
): Promise<ConformanceReport> {
  return runConformance(subject, {
    ...options,
    word,
    signal,
    onBegin: (id) => current.begin(id),
    onCase(one) {
      current.end(one.id);
      const line = options.grep !== undefined && one.status === "failed" ? one.message : caseLine(one);
      if (line !== undefined) print(`${subject.name}  ${line}`);
    },
  });
}

async function end(
  reports: readonly ConformanceReport[],
  files: ReportFiles,
  print: (line: string) => void,
): Promise<number> {
  print(`\n${summary(reports)}`);
  await writeReports(reports, files);
  return reports.every(isPass) ? 0 : 1;
}

const current = new CurrentWork();
current.guard();
// Whoever was reading has gone, as `head` does: that is no failure of the case at hand.
process.stdout.once("error", () => process.exit(1));
const signal = interrupts();
let code = 2;
try {
  code = await main(process.argv.slice(2), (line) => console.log(line));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof Interrupted) code = error.exitCode;
}
current.done();
// A backend that leaves handles behind must not keep the command alive; the case that sees it has failed.
process.exit(code);
