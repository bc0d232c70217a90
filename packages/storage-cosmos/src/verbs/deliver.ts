import type { DeliverResult, NewMessage } from "@perdure/core/storage";
import { changeRun } from "../change-run.ts";
import { accept } from "../inbox.ts";
import type { Store } from "../store.ts";
import { eachRun } from "./each-run.ts";
import { portions } from "./portions.ts";

/** `deliver`: messages of one run go into one batch, as many as it takes. */
export async function deliver(store: Store, messages: readonly NewMessage[]): Promise<readonly DeliverResult[]> {
  const now = store.now();
  return eachRun(
    messages,
    ({ runId }) => runId,
    async (same) => {
      const results: DeliverResult[] = [];
      for (const some of portions(same, ({ data }) => data.length)) {
        const { answer } = await changeRun(store, some[0]!.runId, now, async (work, taken) => {
          const statuses: DeliverResult["status"][] = [];
          for (const message of some) statuses.push(await accept(work, taken, message));
          return statuses;
        });
        results.push(...answer.map((status) => ({ status })));
      }
      return results;
    },
  );
}
