import type { ConformanceCase } from "./case.ts";
import { ConformanceFailure } from "./failure.ts";
import { INVARIANTS } from "./invariants.ts";
import { print, printError } from "./print.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface Circumstances {
  /** The command that shows it again. */
  readonly again: string;
  /** The last calls, as code. */
  readonly calls: string | undefined;
}

/** A failure that teaches: what was promised, what was seen, why it matters, where to look, how to see it again. */
export function explain(failed: ConformanceCase, error: unknown, { again, calls }: Circumstances): string {
  const lines = [`${firstLine(error)}  [${failed.id}]`];
  if (error instanceof ConformanceFailure && error.compared) {
    lines.push(line("expected", print(error.expected)), line("actual", print(error.actual)));
  }
  for (const tag of failed.invariants) lines.push(line(tag, INVARIANTS[tag]));
  for (const tag of failed.scenarios ?? []) lines.push(line(tag, SCENARIOS[tag]));
  lines.push(line("why", failed.why));
  if (failed.hint !== undefined) lines.push(line("hint", failed.hint));
  lines.push(line("again", again));
  if (error instanceof ConformanceFailure) {
    for (const [word, note] of Object.entries(error.notes)) lines.push(line(word, note));
  } else if (error instanceof Error && error.stack !== undefined) {
    lines.push(line("thrown", withoutTheSuite(error.stack)));
  }
  const { cause } = Object(error) as { readonly cause?: unknown };
  if (cause !== undefined) lines.push(line("cause", printError(cause)));
  const own = error instanceof ConformanceFailure ? error.calls : undefined;
  const shown = own ?? calls;
  if (shown) lines.push(own === undefined ? "  last calls:" : "  calls:", indented(shown, 4));
  return lines.join("\n");
}

function firstLine(error: unknown): string {
  if (error instanceof ConformanceFailure) return `It should be so: ${error.message}.`;
  return `The case threw: ${printError(error).split("\n", 1)[0]}`;
}

function line(word: string, text: string): string {
  return `  ${word.padEnd(10)} ${indented(text, 13).trimStart()}`;
}

function indented(text: string, by: number): string {
  return text.replaceAll(/^/gmu, " ".repeat(by));
}

/** Frames of the suite say nothing about a backend, but for those of the case itself. */
const SUITE = new URL("./", import.meta.url).href;
const OF_A_CASE = new URL("./cases/", import.meta.url).href;

function withoutTheSuite(stack: string): string {
  const frames = stack.split("\n");
  return frames.filter((frame) => !frame.includes(SUITE) || frame.includes(OF_A_CASE)).join("\n");
}
