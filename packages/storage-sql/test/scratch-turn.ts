import type { Limits } from "@perdure/core/storage";
import { runSync, type Step, type Steps } from "@perdure/storage-sql";
import { Lanes } from "../src/lanes.ts";
import { RunNumbers } from "../src/run-numbers.ts";
import { Turn } from "../src/turn.ts";

/** A turn of an empty store that knows the time. */
export function newTurn(): Turn {
  const store = { ns: 1, limits: {} as Limits, numbers: new RunNumbers(), lanes: new Lanes() };
  const turn = new Turn(store, readClock, true);
  runSync(turn.askTime(), () => {});
  return turn;
}

function* readClock(): Steps<number> {
  yield [];
  return 1_000;
}

/** Executes nothing: gives these answers, one after the other for each kind. */
export function answers(given: Partial<Record<Step["want"], unknown[]>>): (step: Step) => unknown {
  return ({ want }) => given[want]?.shift();
}
