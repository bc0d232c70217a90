import { UsageError } from "../errors/index.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The workflows that a worker has code for. */
export class Registry {
  readonly names: readonly string[];
  readonly #workflows = new Map<string, AnyWorkflow>();

  /** @throws UsageError `duplicate-definition`, `invalid-argument`. */
  constructor(workflows: readonly AnyWorkflow[]) {
    for (const workflow of workflows) this.#add(workflow);
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
      throw new UsageError(
        "duplicate-definition",
        `Two different workflows are named "${workflow.name}". Give each definition a name of its own.`,
      );
    }
    this.#workflows.set(workflow.name, workflow);
  }
}
