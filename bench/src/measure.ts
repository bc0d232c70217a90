import type { Backend } from "./backends/backend.ts";
import type { Options } from "./options.ts";
import type { NotApplicable, Row } from "./report/row.ts";
import { Samples } from "./report/samples.ts";
import { Store } from "./station/store.ts";

/** Measures everything `repeat` times, backends and workloads in turn, so that a slow moment of the machine hits all alike. */
export async function measure(
  { backends, workloads, repeat, scale, quick, warm }: Options,
  progress: (text: string) => void,
): Promise<{ readonly rows: readonly Row[]; readonly notApplicable: readonly NotApplicable[] }> {
  const notApplicable = new Map<string, NotApplicable>();
  const samples = new Samples();
  for (const backend of backends) await loadOnce(backend);
  const count = (full: number, least = 1): number => Math.max(least, Math.round(full * scale));
  for (let round = 1; round <= repeat; round++) {
    for (const { name: workload, measure: measureOnce } of workloads) {
      for (const backend of backends) {
        progress(`${workload} on ${backend.name}, ${round} of ${repeat}`);
        await measureOnce({
          backend,
          quick,
          warm,
          count,
          record: (figure, value, settings) => samples.add(backend.name, workload, figure, value, settings),
          notApplicable: (reason) =>
            notApplicable.set(`${backend.name} ${workload}`, { backend: backend.name, workload, reason }),
        });
      }
    }
  }
  const names = backends.map(({ name }) => name);
  return { rows: inOrder(samples.rows(), names), notApplicable: [...notApplicable.values()] };
}

/** A first process fills the cache of compiled code. */
function loadOnce(backend: Backend): Promise<unknown> {
  return Store.with(backend, (store) => store.client.call("describeStorage", null));
}

/** The rows of each backend together. */
function inOrder(rows: readonly Row[], backends: readonly string[]): readonly Row[] {
  return backends.flatMap((name) => rows.filter(({ backend }) => backend === name));
}
