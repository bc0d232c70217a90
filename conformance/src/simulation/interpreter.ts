import { type StateHandle, type WorkflowContext, isPerdureError, signal, workflow } from "@perdure/core";
import type { SimulatedActivities } from "./activities.ts";
import type { Program, Step } from "./program.ts";

type Context = WorkflowContext<Record<string, unknown>, Program>;

/** Has the run continue as new: with what it has put out so far, and what comes after this step. */
type GoOn = (outputs: readonly unknown[], at: number) => Promise<never>;

/** The simulated workflow: it does what its input says, in two steps. */
export function interpreterOf(activities: SimulatedActivities) {
  async function part(ctx: Context, name: string, before: readonly unknown[], program: Program, after: Program) {
    const goOn: GoOn = (outputs, at) =>
      ctx.continueAsNew([{ do: "past", outputs: [...before, ...outputs, null] }, ...program.slice(at + 1), ...after]);
    try {
      ctx.state.set(name, await interpret(ctx, program, goOn));
    } catch (error) {
      if (isPerdureError(error, "cancelled")) await ctx.run("clean up", () => null);
      throw error;
    }
  }

  async function interpret(ctx: Context, program: Program, goOn: GoOn = stayInBranch): Promise<unknown[]> {
    const outputs: unknown[] = [];
    for (const [at, step] of program.entries()) {
      if (step.do === "past") outputs.push(...step.outputs);
      else if (step.do === "continue") return goOn(outputs, at);
      else outputs.push(await perform(ctx, step));
    }
    return outputs;
  }

  async function perform(ctx: Context, step: Step): Promise<unknown> {
    switch (step.do) {
      case "work": {
        const { value, attempt } = await ctx.run(step.remote ? activities.remote : activities.work, step);
        return [value, attempt];
      }
      case "resume":
        return ctx.run(activities.resume, step);
      case "remember":
        return ctx.run(activities.remember, step.key);
      case "fail":
        return ctx.run(activities.fail, undefined).catch(codeAndAttempts);
      case "hang":
        return ctx.run(activities.hang, undefined).catch(codeAndAttempts);
      case "sleep":
        await ctx.sleep(step.ms);
        return null;
      case "state":
        ctx.state.set(step.key, step.value);
        return ctx.state.get(step.key);
      case "attributes":
        ctx.attributes.set({ value: step.value });
        return null;
      case "effect":
        return ctx.sideEffect("effect", () => step.value);
      case "draw":
        ctx.sideEffect(`${ctx.now().getTime()} ${ctx.random()} ${ctx.uuid()}`, () => null);
        return null;
      case "patched":
        return ctx.patched(step.id) ? ctx.run("patched", () => step.value) : null;
      case "gather": {
        const values: number[] = [];
        for (const _ of step.values) values.push(await ctx.waitFor(signal<number>(step.name)));
        return values;
      }
      case "hurry":
        return Promise.race([
          Promise.all(step.names.map((name) => ctx.waitFor(signal<number>(name)))),
          ctx.sleep("2h").then(() => "too late"),
        ]);
      case "hear":
        return ctx.waitFor(signal<number>(step.name));
      case "send":
        return send(ctx, step);
      case "self":
        await ctx.signal(ctx.runId, signal<number>(step.name), step.value);
        return ctx.waitFor(signal<number>(step.name));
      case "impatient":
        return ctx.waitFor(signal("never"), { timeout: step.ms }).catch(codeIf("timed-out"));
      case "race":
        return Promise.race([ctx.sleep("1h").then(() => "long"), ctx.sleep(step.ms).then(() => "short")]);
      case "any":
        return Promise.any([
          ctx.run(activities.fail, undefined),
          ctx.sleep("1h").then(() => "long"),
          ctx.sleep(step.ms).then(() => "short"),
        ]).catch(throwCancelled);
      case "all":
        return Promise.all(step.branches.map((branch) => interpret(ctx, branch)));
      case "shield":
        return ctx.shield(() => interpret(ctx, step.program));
      case "child":
        return ctx.child(interpreter, step.program);
      case "told": {
        const child = ctx.child(interpreter, [{ do: "hear", name: step.name, value: step.value }]);
        await child.signal(signal<number>(step.name), step.value);
        return child;
      }
      case "dismiss": {
        const child = ctx.child(interpreter, [{ do: "forever" }]);
        await child.cancel();
        return Promise.resolve(child).catch(codeIf("child-failed"));
      }
      case "detach":
        ctx.child(interpreter, step.program, { id: `${ctx.runId}-${step.id}`, parentClose: step.close });
        return null;
      case "forever":
        return ctx.waitFor(signal("never"));
      case "throw":
        throw new Error("As it was told.");
      case "continue":
      case "past":
        return stayInBranch();
      default:
        return step satisfies never;
    }
  }

  const interpreter = workflow({
    name: "interpreter",
    state: { initial: {} as Record<string, unknown> },
    steps: (step) => [
      step("first", (ctx, program: Program) => part(ctx, "first", [], program.slice(0, 2), program.slice(2))),
      step("rest", (ctx, program: Program) => part(ctx, "rest", outputsOf(ctx, "first"), program.slice(2), [])),
    ],
    output: (ctx): unknown[] => [...outputsOf(ctx, "first"), ...outputsOf(ctx, "rest")],
  });
  return interpreter;
}

function outputsOf({ state }: { readonly state: StateHandle<Record<string, unknown>> }, name: string): unknown[] {
  return state.get(name) as unknown[];
}

function stayInBranch(): never {
  throw new Error("A branch does not continue as new.");
}

/** The other run may not be there yet, or over already. */
async function send(ctx: Context, { runId, name, value }: Extract<Step, { readonly do: "send" }>): Promise<null> {
  for (;;) {
    try {
      await ctx.signal(runId, signal<number>(name), value);
      return null;
    } catch (error) {
      if (isPerdureError(error, "run-closed")) return null;
      if (!isPerdureError(error, "run-not-found")) throw error;
      await ctx.sleep("1s");
    }
  }
}

function codeAndAttempts(error: unknown): string {
  if (!isPerdureError(error, "activity-failed")) throw error;
  return `${error.code} after ${(error as { readonly attempts?: number }).attempts}`;
}

/** Of branches that were all cancelled. */
function throwCancelled(error: AggregateError): never {
  throw error.errors.find((one) => isPerdureError(one, "cancelled")) ?? error;
}

function codeIf(code: "timed-out" | "child-failed"): (error: unknown) => string {
  return (error) => {
    if (!isPerdureError(error, code)) throw error;
    return code;
  };
}
