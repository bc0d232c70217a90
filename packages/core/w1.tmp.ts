import { activity, createClient, createWorker, workflow } from "@perdure/core";
import { memory } from "@perdure/core/memory";
const N = Number(process.argv[2] ?? 2000);
const noop = activity({ name: "noop" }, async (n: number) => ({ ok: true, value: n }));
const wf = workflow({ name: "w1" }, async (ctx, n: number) => { let s = 0; for (let i = 0; i < 5; i++) s += (await ctx.run(noop, n + i)).value; return { s }; });
const storage = memory();
const client = createClient({ storage });
for (let round = 0; round < 4; round++) {
const t0 = performance.now();
const runs = await client.startMany(Array.from({ length: N }, (_, i) => ({ definition: wf, input: i })));
const t1 = performance.now();
const cpu0 = process.cpuUsage();
const worker = createWorker({ storage, workflows: [wf] });
const w = worker.run();
await Promise.all(runs.map((r) => r.result()));
const t2 = performance.now();
const cpu = process.cpuUsage(cpu0);
console.log(`starts/s ${Math.round(N / (t1 - t0) * 1000)} runs/s ${Math.round(N / (t2 - t1) * 1000)} cpu ms/run ${((cpu.user + cpu.system) / 1000 / N).toFixed(3)}`);
await worker.stop(); await w;
}
