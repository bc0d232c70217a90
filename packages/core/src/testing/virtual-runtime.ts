import { SeededRandom } from "../engine/seeded-random.ts";
import type { VirtualClock } from "../memory/clock.ts";
import { Heap } from "../memory/heap.ts";
import type { Millis } from "../model/ids.ts";
import type { Runtime } from "../model/runtime.ts";
import { realRuntime } from "../runtime/real-runtime.ts";

/** A runtime whose time is a {@link VirtualClock}'s, and whose chance follows from a seed. */
export interface VirtualRuntime extends Runtime {
  /** When the first timer is due that is more than a poll; `null`: there is none. */
  nextDueAt(): Millis | null;
  /** Notes that something goes on which the runtime does not see by itself, such as a call of the storage. */
  stir(): void;
  /** Resolves when nothing has stirred for a few turns of the event loop: whatever is still to come needs time, or the world outside. */
  calm(): Promise<void>;
}

interface Timer {
  readonly fn: () => void;
  pending: boolean;
}

const CALM_TURNS = 4;

/** Creates a {@link VirtualRuntime}. Its timers fire while the clock is moved, in the order in which they are due. */
export function virtualRuntime(clock: VirtualClock, seed: string): VirtualRuntime {
  const random = new SeededRandom(seed);
  const timers = new Heap<Timer>();
  const polls = new Heap<Timer>();
  let latest = clock.now();
  let stirs = 0;

  /** Never steps back, though the clock may. */
  function monotonic(): number {
    latest = Math.max(latest, clock.now());
    return latest;
  }

  function firstOf(heap: Heap<Timer>): ReturnType<Heap<Timer>["add"]> | undefined {
    for (let { first } = heap; first !== undefined; { first } = heap) {
      if (first.value.pending) return first;
      heap.remove(first);
    }
    return undefined;
  }

  function fireDue(): void {
    const now = monotonic();
    for (;;) {
      const due = [firstOf(timers), firstOf(polls)].filter((place) => place !== undefined && place.key <= now);
      const [first] = due.toSorted((a, b) => a!.key - b!.key || a!.order - b!.order);
      if (first === undefined) return;
      first.value.pending = false;
      stirs++;
      first.value.fn();
    }
  }

  clock.onAdvance(fireDue);

  return {
    monotonic,
    after(ms, fn, options) {
      const timer: Timer = { fn, pending: true };
      (options?.poll === true ? polls : timers).add(timer, monotonic() + Math.max(0, Math.ceil(ms)));
      stirs++;
      if (ms <= 0) setImmediate(fireDue);
      return () => {
        timer.pending = false;
      };
    },
    defer(fn) {
      stirs++;
      setImmediate(fn);
    },
    settle: realRuntime.settle,
    // Sixteen bytes, as text of 22 characters.
    id: () => Buffer.from(Float64Array.of(random.next(), random.next()).buffer).toString("base64url"),
    random: () => random.next(),
    nextDueAt: () => firstOf(timers)?.key ?? null,
    stir: () => void stirs++,
    async calm() {
      for (let turns = 0, seen = stirs; turns < CALM_TURNS; turns++) {
        await new Promise((resolve) => void setImmediate(resolve));
        if (stirs === seen) continue;
        seen = stirs;
        turns = -1;
      }
    },
  };
}
