import { createMemoryStore, memory, type MemoryStore, type VirtualClock, virtualClock } from "@perdure/core/memory";
import type { BackendUnderTest } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";

interface Space {
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
}

const spaces = new Map<string, Space>();

/** All namespaces of one case share a store, as they would share a database. */
function spaceOf(namespace: string): Space {
  const name = caseOf(namespace);
  let space = spaces.get(name);
  if (space === undefined) spaces.set(name, (space = { store: createMemoryStore(), clock: virtualClock() }));
  return space;
}

/** The reference storage, on a clock that stands still unless a case moves it. */
const subject: BackendUnderTest = {
  name: "memory",
  open: ({ namespace }) => memory({ namespace, ...spaceOf(namespace) }),
  openOn: (options) => memory(options),
  destroy: (namespace) => void spaces.delete(caseOf(namespace)),
  advance: (namespace, ms) => spaceOf(namespace).clock.advance(ms),
  transaction: (namespace, _, run) => memory({ namespace, ...spaceOf(namespace) }).transaction(run),
  // There is nobody to whom anything could be taught.
  forgetCaches: () => {},
  stepBack: (namespace, ms) => spaceOf(namespace).clock.advance(-ms),
};

export default subject;
