import { UsageError } from "../errors/index.ts";
import type { AnyActivity } from "./activity.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The workflows that a worker has code for. */
export class Registry {
  readonly names: readonly string[];
  readonly #workflows = new Map<string, AnyWorkflow>();

  /** @throws UsageError `duplicate-definition`, `invalid-argument`. */
  constructor(workflows: readonly AnyWorkflow[], activities: readonly AnyActivity[] = []) {
    for (const workflow of workflows) this.#add(workflow);
    for (const [at, { name }] of activities.entries()) {
      if (activities.findIndex((other) => other.name === name && other !== activities[at]) >= 0) throw twice("activities", name);
    }
    this.names = [...this.#workflows.keys()];
  }

  get(name: string): AnyWorkflow | undefined {
    return this.#workflows.get(name);
  }

  #add(workflow: AnyWorkflow): void {
    if (workflow?.kind !== "workflow") {
      throw new UsageError(
        "invalid-argument",
        "A worker's `workflows` must be made by workflow(…). Pass the definitions themselves.",
      );
    }
    const known = this.#workflows.get(workflow.name);
    if (known !== undefined && known !== workflow) {
      throw twice("workflows", workflow.name);
    }
    this.#workflows.set(workflow.name, workflow);
  }
}

function twice(what: string, name: string): UsageError {
  return new UsageError("duplicate-definition", `Two different ${what} are named "${name}". Give each definition a name of its own.`);
}
