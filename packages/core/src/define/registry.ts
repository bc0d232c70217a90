import { UsageError } from "../errors/index.ts";
import type { AnyActivity } from "./activity.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The workflows that a worker has code for, and the activities that it executes for others. */
export class Registry {
  readonly workflowNames: readonly string[];
  readonly activityNames: readonly string[];
  readonly #workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly #activities: ReadonlyMap<string, AnyActivity>;

  /** @throws UsageError `duplicate-definition`, `invalid-argument`. */
  constructor(workflows: readonly AnyWorkflow[], activities: readonly AnyActivity[] = []) {
    this.#workflows = byName("workflow", "workflows", workflows);
    this.#activities = byName("activity", "activities", activities);
    this.workflowNames = [...this.#workflows.keys()];
    this.activityNames = [...this.#activities.keys()];
  }

  workflow(name: string): AnyWorkflow | undefined {
    return this.#workflows.get(name);
  }

  /** Of the activities, those whose result is recorded in a transaction of theirs. */
  get transactionalNames(): readonly string[] {
    return this.activityNames.filter((name) => this.#activities.get(name)!.transaction !== null);
  }

  activity(name: string): AnyActivity | undefined {
    return this.#activities.get(name);
  }
}

function byName<T extends AnyWorkflow | AnyActivity>(
  kind: T["kind"],
  option: string,
  definitions: readonly T[],
): ReadonlyMap<string, T> {
  if (!Array.isArray(definitions)) {
    throw new UsageError(
      "invalid-argument",
      `A worker needs a list of its ${option}. Pass { ${option}: [${kind === "workflow" ? "order" : "charge"}] }.`,
    );
  }
  const known = new Map<string, T>();
  for (const definition of definitions as readonly T[]) {
    if (definition?.kind !== kind) {
      throw new UsageError(
        "invalid-argument",
        `A worker's \`${option}\` must be made by ${kind}(…). Pass the definitions themselves.`,
      );
    }
    const { name } = definition;
    if (known.has(name) && known.get(name) !== definition) {
      throw new UsageError(
        "duplicate-definition",
        `Two different ${option} are named "${name}". Give each definition a name of its own.`,
      );
    }
    known.set(name, definition);
  }
  return known;
}
