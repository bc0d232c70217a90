import { activity, createClient, createWorker, signal, workflow } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";

const go = signal("go");
const charge = activity({ name: "charge", queue: "else{}where" }, async (cents: number) => cents);
const child = workflow({ name: "child" }, async (ctx) => {
  await ctx.waitFor(go);
  return "done";
});
const order = workflow({ name: "order {*}\n" }, async (ctx, cents: number) => {
  const helper = ctx.child(child, undefined, { id: `child of ${ctx.runId}` });
  const charged = await ctx.run(charge, cents);
  await ctx.sleep("5ms");
  await ctx.waitFor(go);
  ctx.attributes.set({ charged, last: true });
  await ctx.signal(`child of ${ctx.runId}`, go, undefined);
  return `${charged} ${await helper}`;
});

/** Has runs of everything that has keys done by a worker: parents, children, activities on another queue, signals, timers, attributes. */
export async function finishRuns(storage: StorageBackend, runIds: readonly string[]): Promise<readonly string[]> {
  const client = createClient({ storage });
  const queues = ["default", "else{}where"];
  const worker = createWorker({ storage, workflows: [order, child], activities: [charge], queues });
  const working = worker.run();
  const handles = await Promise.all(
    runIds.map((id, n) =>
      client.start(order, n, { id, timeout: "1h", attributes: { "{": id, n, first: true }, priority: (n % 19) - 9 }),
    ),
  );
  await Promise.all(handles.map((handle) => handle.signal(go, undefined)));
  try {
    return await Promise.all(handles.map((handle) => handle.result()));
  } finally {
    await worker.stop();
    await working;
  }
}
