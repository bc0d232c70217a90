import type { Attributes, NewRun, RunHeader } from "@perdure/core/storage";

/** What never changes of a run and nobody but us reads: one text. */
export type StoredHeader = Pick<
  RunHeader,
  "workflow" | "version" | "queue" | "priority" | "parent" | "parentClose" | "deadlineAt"
>;

export function headerText({ workflow, version, queue, priority, parent, parentClose, deadlineAt }: NewRun): string {
  const link = parent && { runId: parent.runId, incarnation: parent.incarnation, seq: parent.seq };
  const header: StoredHeader = { workflow, version, queue, priority, parent: link, parentClose, deadlineAt };
  return JSON.stringify(header);
}

export function parseHeader(text: string): StoredHeader {
  return JSON.parse(text) as StoredHeader;
}

/** The indexes that a run stands in from its creation until it is purged. */
export function indexesOf({ workflow, queue, parent }: Pick<StoredHeader, "workflow" | "queue" | "parent">): string[] {
  const indexes = [`w:${workflow}`, `q:${queue}`];
  return parent === null ? indexes : [...indexes, `p:${parent.runId}`];
}

/** The indexes of its attributes: compared by type and value. */
export function attributeIndexesOf(attributes: Attributes): string[] {
  return Object.entries(attributes).map(([name, value]) => `a:${JSON.stringify([name, value])}`);
}
