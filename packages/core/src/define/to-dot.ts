import type { GraphNode, WorkflowGraph } from "./graph.ts";

/**
 * A graph in the language of Graphviz. Any name is shown as it is.
 *
 * @example
 * await writeFile("assessment.dot", toDot(assessment.graph()));
 */
export function toDot({ nodes, edges }: WorkflowGraph): string {
  return [
    "digraph {",
    "  node [fontname=sans];",
    ...nodes.map((node) => `  ${quote(node.id)} [label=${quote(node.name)}, shape=${shape(node)}];`),
    ...edges.map(({ from, to }) => `  ${quote(from)} -> ${quote(to)};`),
    "}",
    "",
  ].join("\n");
}

function shape({ kind }: GraphNode): string {
  return kind === "step" ? "box" : "oval";
}

/** A backslash begins an escape of labels too; control characters have none. */
function quote(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/\r\n|[\n\r\u2028\u2029]/gu, "\\n")
    .replaceAll(/\p{Cc}/gu, " ");
  return `"${escaped}"`;
}
