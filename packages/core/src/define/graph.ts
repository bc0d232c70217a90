import type { AnyStep } from "./step.ts";

/** What a workflow consists of, as its definition tells: plain JSON. */
export interface WorkflowGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A step, or where the workflow starts or ends. */
export interface GraphNode {
  /** Unique in its graph; of a step the same for as long as its name is. */
  readonly id: string;
  /** The step's own. */
  readonly name: string;
  readonly kind: "start" | "step" | "end";
}

/** What comes after what. */
export interface GraphEdge {
  readonly from: GraphNode["id"];
  readonly to: GraphNode["id"];
}

/** From start to end through all steps; code without steps is one, named `run`. */
export function graphOf(steps: readonly AnyStep[]): WorkflowGraph {
  const names = steps.length === 0 ? ["run"] : steps.map(({ name }) => name);
  const nodes: readonly GraphNode[] = [
    { id: "start", name: "start", kind: "start" },
    ...names.map((name): GraphNode => ({ id: `step:${name}`, name, kind: "step" })),
    { id: "end", name: "end", kind: "end" },
  ];
  return { nodes, edges: nodes.slice(1).map(({ id }, at) => ({ from: nodes[at]!.id, to: id })) };
}
