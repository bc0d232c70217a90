import type { ConformanceCase } from "./case.ts";
import { ConformanceFailure } from "./failure.ts";
import { INVARIANTS } from "./invariants.ts";
import { print } from "./journal.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface Circumstances {
  readonly backend: string;
  readonly seed: number;
  /** The last calls, as code. */
  readonly calls: string | undefined;
}

/** A failure that teaches: what was promised, what was seen, why it matters, where to look, how to see it again. */
export function explain(failed: ConformanceCase, error: unknown, { backend, seed, calls }: Circumstances): string {
  const lines = [`${firstLine(error)}  [${failed.id}]`];
  if (error instanceof ConformanceFailure && error.compared) {
    lines.push(`  expected   ${print(error.expected)}`, `  actual     ${print(error.actual)}`);
  }
  for (const tag of failed.invariants) lines.push(`  ${tag.padEnd(10)} ${INVARIANTS[tag]}`);
  for (const tag of failed.scenarios ?? []) lines.push(`  ${tag.padEnd(10)} ${SCENARIOS[tag]}`);
  lines.push(`  why        ${failed.why}`);
  if (failed.hint !== undefined) lines.push(`  hint       ${failed.hint}`);
  const again = (error instanceof ConformanceFailure ? error.again : undefined) ?? `--seed ${seed}`;
  lines.push(`  again      perdure-conformance ${backend} --grep ${failed.id} ${again}`);
  if (error instanceof ConformanceFailure) {
    for (const [word, note] of Object.entries(error.notes)) lines.push(`  ${word.padEnd(10)} ${note}`);
  }
  if (!(error instanceof ConformanceFailure) && error instanceof Error && error.stack !== undefined) {
    lines.push(`  thrown     ${error.stack.replaceAll("\n", "\n           ")}`);
  }
  const own = error instanceof ConformanceFailure ? error.calls : undefined;
  const shown = own ?? calls;
  if (shown)
    lines.push(own === undefined ? "  last calls:" : "  calls:", ...shown.split("\n").map((line) => `    ${line}`));
  return lines.join("\n");
}

function firstLine(error: unknown): string {
  if (error instanceof ConformanceFailure) return `It should be so: ${error.message}.`;
  return `The case threw: ${String(error).split("\n", 1)[0]}`;
}
