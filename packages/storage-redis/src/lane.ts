import { Buffer } from "node:buffer";
import type { ClaimRequest, TaskKind } from "@perdure/core/storage";

/** Names all tasks of a kind, queue and name: what a claim selects by. Scripts find the queue in it by its length. */
export function laneOf(kind: TaskKind, queue: string, name: string): string {
  return `${kind === "workflow" ? "w" : "a"}:${Buffer.byteLength(queue)}:${queue}:${name}`;
}

/** A lane taken apart, but for its name. */
export function parseLane(lane: string): { readonly kind: TaskKind; readonly queue: string; readonly name: string } {
  const [kind, length] = lane.split(":", 2);
  const rest = Buffer.from(lane).subarray(3 + length!.length);
  const queue = rest.subarray(0, Number(length)).toString();
  return { kind: kind === "w" ? "workflow" : "activity", queue, name: rest.subarray(Number(length) + 1).toString() };
}

/** The lanes that a request selects, each once. */
export function lanesOf({ queues, kinds, handlers }: ClaimRequest): string[] {
  const lanes = new Set<string>();
  for (const kind of kinds) {
    const names = kind === "workflow" ? handlers.workflows : handlers.activities;
    for (const queue of queues) for (const name of names) lanes.add(laneOf(kind, queue, name));
  }
  return [...lanes];
}
