import type { Program, Step } from "./program.ts";

/** What a program returns, whatever happens to the workers that run it. */
export function outputOf(program: Program): readonly unknown[] {
  return program.map(outputOfStep);
}

function outputOfStep(step: Step): unknown {
  switch (step.do) {
    case "work":
      return [step.value, step.fails + 1];
    case "resume":
      return step.pages;
    case "remember":
      return `result ${step.key}`;
    case "fail":
      return "activity-failed after 2";
    case "hang":
      return "activity-failed after 1";
    case "sleep":
    case "attributes":
    case "draw":
    case "send":
    case "detach":
    case "continue":
      return null;
    case "state":
    case "effect":
    case "patched":
    case "hear":
    case "self":
      return step.value;
    case "gather":
      return step.values;
    case "hurry":
      return step.names.map(() => step.value);
    case "impatient":
      return "timed-out";
    case "race":
    case "any":
      return "short";
    case "told":
      return [step.value];
    case "dismiss":
      return "child-failed";
    case "all":
      return step.branches.map(outputOf);
    case "shield":
    case "child":
      return outputOf(step.program);
    case "past":
    case "forever":
    case "throw":
      throw new Error(`A program with "${step.do}" has no output.`);
    default:
      return step satisfies never;
  }
}

/** Signals that clients send, those of one name in this order; none to children. */
export function signalsOf(program: Program): readonly { readonly name: string; readonly values: readonly number[] }[] {
  return program.flatMap((step) => {
    switch (step.do) {
      case "gather":
        return [step];
      case "hurry":
        return step.names.map((name) => ({ name, values: [step.value] }));
      case "shield":
        return signalsOf(step.program);
      case "all":
        return step.branches.flatMap(signalsOf);
      default:
        return [];
    }
  });
}
