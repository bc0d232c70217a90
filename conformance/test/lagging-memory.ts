import { type VirtualClock, virtualClock } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import type { BackendUnderTest } from "../src/index.ts";
import { RecordedStore } from "./recorded-store.ts";
import { caseOf } from "../backends/case-of.ts";

/** How old what lists show is, in real time. */
const LAG_MS = 40;

interface Space {
  readonly clock: VirtualClock;
  readonly store: RecordedStore;
  /** What lists show. */
  readonly copy: RecordedStore;
}

/** A memory backend whose `listRuns` and `stats` read a copy that lags behind; `breakIt` makes mutants of it. */
export function laggingMemory(
  breakIt: (honest: StorageBackend, late: StorageBackend) => Partial<StorageBackend> = () => ({}),
): BackendUnderTest {
  const spaces = new Map<string, Space>();
  const spaceOf = (namespace: string): Space => {
    const name = caseOf(namespace);
    let space = spaces.get(name);
    if (space === undefined) {
      const clock = virtualClock();
      spaces.set(name, (space = { clock, store: new RecordedStore(clock), copy: new RecordedStore(clock) }));
    }
    return space;
  };
  return {
    name: "lagging memory",
    open({ namespace }) {
      const { clock, store, copy } = spaceOf(namespace);
      const [honest, late] = [store.open(namespace), copy.openStill(namespace)];
      const catchUp = (): void => {
        const missing = store.writes.slice(copy.writes.length);
        const old = missing.filter(({ since }) => since <= performance.now() - LAG_MS);
        copy.repeat(old, old.length === missing.length ? clock.now() : undefined);
      };
      const behind: Pick<StorageBackend, "getRun" | "listRuns" | "stats"> = {
        async getRun(runId) {
          catchUp();
          return late.getRun(runId);
        },
        async listRuns(query) {
          await honest.now(); // a closed client refuses
          catchUp();
          return late.listRuns(query);
        },
        async stats() {
          await honest.now();
          catchUp();
          return late.stats();
        },
      };
      const { listRuns, stats } = behind;
      const info = { ...honest.info, capabilities: { ...honest.info.capabilities, listing: "eventual" as const } };
      return { ...honest, info, listRuns, stats, ...breakIt(honest, { ...honest, ...behind }) };
    },
    destroy: (namespace) => void spaces.delete(caseOf(namespace)),
    advance: (namespace, ms) => spaceOf(namespace).clock.advance(ms),
  };
}
