import type { GraphNode, WorkflowGraph } from "./graph.ts";

/**
 * A graph as the text of a Mermaid flowchart, for documents and pull requests. Any name is shown as it is.
 *
 * @example
 * console.log(toMermaid(assessment.graph()));
 */
export function toMermaid({ nodes, edges }: WorkflowGraph): string {
  // Its own ids: Mermaid has reserved words, `end` among them.
  const ids = new Map(nodes.map(({ id }, at) => [id, `n${at}`]));
  return [
    "flowchart TD",
    ...nodes.map((node) => `  ${ids.get(node.id)}${shape(node)}`),
    ...edges.map(({ from, to }) => `  ${ids.get(from)} --> ${ids.get(to)}`),
    "",
  ].join("\n");
}

function shape({ kind, name }: GraphNode): string {
  return kind === "step" ? `["${escape(name)}"]` : `(["${escape(name)}"])`;
}

/** All but harmless characters as entities: a quote ends the label, a percent sign may begin a directive, a dot or a dash Markdown. */
function escape(name: string): string {
  return name
    .split(/\r\n|[\n\r\u2028\u2029]/u)
    .map((line) => line.replaceAll(/^-|[^\p{L}\p{M}\p{N}\p{Extended_Pictographic}\u200D ,_-]/gu, entity))
    .join("<br/>");
}

function entity(character: string): string {
  return `#${character.codePointAt(0)};`;
}
