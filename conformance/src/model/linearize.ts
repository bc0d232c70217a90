import { memory, virtualClock } from "@perdure/core/memory";
import type { Millis, StorageBackend } from "@perdure/core/storage";
import { isEqual } from "../assert.ts";
import { type Call, type Exchange, send, wrote } from "./call.ts";
import { comparable } from "./comparable.ts";
import { askingInPart } from "./passed-over.ts";

/** A call as its caller saw it. Moments are counted, not measured. */
export interface Recorded {
  readonly client: number;
  readonly call: Call;
  readonly began: number;
  /** `Infinity`: the answer is unknown, and the call may take effect at any later time, or never. */
  readonly ended: number;
  readonly exchange: Exchange | undefined;
}

/** How far a history can be explained, and what the model would have answered then. */
export interface Unexplained {
  readonly explained: readonly Recorded[];
  readonly next: Recorded;
  readonly expected: Exchange;
}

/** What a call has written, by the model. */
interface Write {
  readonly call: Call;
  /** Tells it from every other. */
  readonly label: string;
}

/**
 * Whether calls that overlapped are answered as if each took effect at one moment between its beginning and its end: looks for an order
 * of them in which the model gives the same answers (after Wing and Gong). Answers nothing if there is one, else the furthest that it came.
 * @param all the calls about other runs, too: what they lock may make a claim pass over a task
 */
export async function linearize(
  history: readonly Recorded[],
  now: Millis,
  all: readonly Recorded[] = history,
): Promise<Unexplained | undefined> {
  const hopeless = new Set<string>();
  let furthest: Unexplained | undefined;

  async function explains(order: readonly Recorded[], writes: readonly Write[]): Promise<boolean> {
    const left = history.filter((one) => !order.includes(one));
    if (left.every(({ exchange }) => exchange === undefined)) return true;
    // Reads and refusals change nothing: the state follows from the writes.
    const state = `${left.map(labelOf).join()} after ${writes.map(({ label }) => label).join()}`;
    if (hopeless.has(state)) return false;
    const firstEnd = Math.min(...left.map(({ ended }) => ended));
    for (const next of left.filter(({ began }) => began < firstEnd)) {
      const written = await effect(order, writes, next);
      if (written !== undefined && (await explains([...order, next], [...writes, ...written]))) return true;
    }
    hopeless.add(state);
    return false;
  }

  /** What a call writes after these writes, if it may come next. */
  async function effect(
    order: readonly Recorded[],
    writes: readonly Write[],
    next: Recorded,
  ): Promise<readonly Write[] | undefined> {
    const { call, exchange } = next;
    const ask = async (asked: Call): Promise<Exchange> => send(await modelAfter(writes, now), asked);
    const write: Write = { call, label: labelOf(next) };
    const expected = await ask(call);
    // One without an answer that changes nothing here might as well never have happened.
    if (exchange === undefined) return wrote(expected) ? [write] : undefined;
    const isAlone = !overlaps(next, all);
    // When to look again is read by other statements than what is taken, a moment before or after: what overlapping calls write in between
    // may count in one and not in the other, as in no order. No wake-up is lost by that (I11). What was written before the claim began is
    // seen by all its statements. Whoever makes a task claimable earlier while it is under way hints at the queue when that is durable; a
    // worker that hears this before the answer claims again after it, and one that does not looks by itself in some seconds.
    if (areEqual(exchange, expected, now, !isAlone)) return wrote(expected) ? [write] : [];
    const rest = isAlone ? undefined : askingInPart(exchange);
    if (rest !== undefined && areEqual(exchange, await ask(rest), now, true)) {
      return wrote(exchange) ? [{ call: rest, label: `part of ${labelOf(next)}` }] : [];
    }
    if (order.length >= (furthest?.explained.length ?? 0)) furthest = { explained: order, next, expected };
    return undefined;
  }

  return (await explains([], [])) ? undefined : furthest;
}

function areEqual(actual: Exchange, expected: Exchange, origin: Millis, inPart = false): boolean {
  const how = { origin, purged: false, anyOrder: true, inPart };
  return isEqual(comparable(actual, how), comparable(expected, how));
}

function labelOf({ began }: Recorded): string {
  return String(began);
}

function overlaps(one: Recorded, history: readonly Recorded[]): boolean {
  return history.some((other) => other !== one && other.began < one.ended && one.began < other.ended);
}

async function modelAfter(writes: readonly Write[], now: Millis): Promise<StorageBackend> {
  const model = memory({ clock: virtualClock(now) });
  for (const { call } of writes) await send(model, call);
  return model;
}
