import { parseTaskId, type TaskId } from "@perdure/core/storage";

/** How much goes into one script: while it runs, the server does nothing else. */
const MAX_ELEMENTS = 1_000;
const MAX_LENGTH = 8 * 1024 * 1024;

/** The shard that a text belongs to: the same for ever, so no other hash may ever stand here (FNV-1a of its UTF-16 units). */
export function shardOf(text: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x81_1c_9d_c5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01_00_01_93);
  // The lowest bits of the product hang together: mix in the highest.
  return ((hash ^ (hash >>> 15)) >>> 0) % shards;
}

/** The run whose shard has a task; the text itself for an id that nobody has minted, which is unknown wherever one looks. */
export function runIdOf(taskId: TaskId): string {
  return parseTaskId(taskId)?.runId ?? taskId;
}

/** What scripts are given: written as JSON. Nothing is `null`. */
export type Argument = string | number | boolean | null | readonly Argument[];

/** What scripts are given of one element of a batch: a list, or what it has by name, where most elements have little of what they may have. */
export type Encoded = readonly Argument[] | { readonly [name: string]: Argument | undefined };

/**
 * Has a batch done in its shards, all at once, and in each in the order of the elements, in pieces of bearable size. Answers stand in the order of the
 * elements.
 * @param send does a piece: it is given what is sent of each element, as JSON
 * @param prepare is told how many pieces there will be, before the first
 */
export async function inShards<E, R>(
  elements: readonly E[],
  shardOfElement: (element: E) => number,
  encode: (element: E, index: number) => Encoded,
  send: (shard: number, encoded: readonly string[]) => Promise<readonly R[]>,
  prepare?: (pieces: number) => Promise<void>,
): Promise<R[]> {
  const byShard = new Map<number, number[]>();
  for (const [index, element] of elements.entries()) {
    const shard = shardOfElement(element);
    const indexes = byShard.get(shard);
    if (indexes === undefined) byShard.set(shard, [index]);
    else indexes.push(index);
  }
  // Encoded before anything is awaited: the caller may change what he passed in.
  const plans = [...byShard].map(([shard, indexes]) => ({ shard, pieces: piecesOf(elements, indexes, encode) }));
  await prepare?.(plans.reduce((sum, { pieces }) => sum + pieces.length, 0));
  const answers: R[] = Array.from({ length: elements.length });
  await allDone(
    plans.map(async ({ shard, pieces }) => {
      for (const { indexes, encoded } of pieces) {
        const results = await send(shard, encoded);
        for (const [i, index] of indexes.entries()) answers[index] = results[i]!;
      }
    }),
  );
  return answers;
}

/** As `Promise.all`, but nothing is under way any more when it rejects. */
export async function allDone<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

interface Piece {
  readonly indexes: number[];
  readonly encoded: string[];
}

function piecesOf<E>(
  elements: readonly E[],
  indexes: readonly number[],
  encode: (element: E, index: number) => Encoded,
): Piece[] {
  const pieces: Piece[] = [];
  let piece: Piece | undefined;
  let length = 0;
  for (const index of indexes) {
    const encoded = JSON.stringify(encode(elements[index]!, index));
    if (piece === undefined || piece.indexes.length === MAX_ELEMENTS || length + encoded.length > MAX_LENGTH) {
      pieces.push((piece = { indexes: [], encoded: [] }));
      length = 0;
    }
    piece.indexes.push(index);
    piece.encoded.push(encoded);
    length += encoded.length;
  }
  return pieces;
}
