import { createMemoryStore, memory, type MemoryStore, type VirtualClock, virtualClock } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import type { CaseId } from "../src/case.ts";
import type { BackendUnderTest, ClientClock } from "../src/subject.ts";
import { wrapVerbs } from "../src/verbs.ts";
import { caseOf } from "../backends/case-of.ts";

/** A backend with one planted bug, over the memory backend: the suite must fail it. */
export interface Mutant {
  readonly name: string;
  /** The bug, in one sentence. */
  readonly breaks: string;
  /** Cases each of which must fail it. */
  readonly killedBy: readonly [CaseId, ...CaseId[]];
  make(): BackendUnderTest;
}

/** What surrounds one client of a mutant. */
interface Surroundings {
  readonly namespace: string;
  /** The clock of the client's machine. */
  readonly clientClock: ClientClock;
  /** The clock underneath the store. */
  readonly storeClock: VirtualClock;
  readonly store: MemoryStore;
  /** How often the suite had the store forget what clients taught it. */
  readonly forgotten: () => number;
}

interface Bug extends Omit<Mutant, "make"> {
  /**
   * Plants the bug. Called once for a subject, so that its closure is what all clients share; the function that it answers
   * with is called for each client, and answers with the verbs that are spoiled.
   */
  plant(): (honest: StorageBackend, around: Surroundings) => Partial<StorageBackend>;
}

export function mutant(bug: Bug): Mutant {
  const { name, breaks, killedBy } = bug;
  return { name, breaks, killedBy, make: () => subjectWith(name, bug.plant()) };
}

/** Every verb of a backend as a function of its own. */
export function forwarding(backend: StorageBackend): StorageBackend {
  return wrapVerbs(backend, (_verb, _args, call) => call());
}

/** The memory backend as a subject, with some verbs replaced. */
function subjectWith(name: string, spoil: ReturnType<Bug["plant"]>): BackendUnderTest {
  const stores = new Map<string, { readonly store: MemoryStore; readonly clock: VirtualClock }>();
  const storeOf = (namespace: string): { readonly store: MemoryStore; readonly clock: VirtualClock } => {
    const key = caseOf(namespace);
    let found = stores.get(key);
    if (found === undefined) stores.set(key, (found = { store: createMemoryStore(), clock: virtualClock() }));
    return found;
  };
  let times = 0;
  const forgotten = (): number => times;
  return {
    name: `mutant ${name}`,
    open({ namespace, clock: clientClock }) {
      const { store, clock } = storeOf(namespace);
      const honest = memory({ namespace, store, clock });
      const spoiled = spoil(honest, { namespace, clientClock, storeClock: clock, store, forgotten });
      return { ...forwarding(honest), ...spoiled };
    },
    openOn({ namespace, clock }) {
      const store = createMemoryStore();
      const storeClock = { ...virtualClock(), now: () => clock.now() };
      const honest = memory({ namespace, store, clock });
      return {
        ...forwarding(honest),
        ...spoil(honest, { namespace, clientClock: clock, storeClock, store, forgotten }),
      };
    },
    destroy: (namespace) => void stores.delete(caseOf(namespace)),
    forgetCaches: () => void (times += 1),
    transaction: (namespace, _, run) => memory({ namespace, store: storeOf(namespace).store }).transaction(run),
    advance: (namespace, ms) => storeOf(namespace).clock.advance(ms),
    stepBack: (namespace, ms) => storeOf(namespace).clock.advance(-ms),
  };
}
