/** A program whose workflow has a branch that nobody awaits: `engine` throws into it, or `user` code does. Prints what became of the run. */
import { activity, createClient, createWorker, signal, workflow } from "../src/index.ts";
import { memory } from "../src/memory.ts";

const go = signal<number>("go");
const [thrower] = process.argv.slice(2);

const decline = activity({ name: "decline", retry: 1 }, () => Promise.reject(new Error("declined")));

const listening = workflow({ name: "listening", state: { initial: { n: 0 } } }, async (ctx) => {
  const listen = async (): Promise<void> => {
    for await (const n of ctx.signals(go)) ctx.state.set("n", n);
  };
  const charge = async (): Promise<void> => {
    await ctx.run(decline, undefined);
  };
  void listen();
  void charge();
  if (thrower === "user") void Promise.reject(new RangeError("mine"));
  await ctx.sleep("1h");
});

const storage = memory();
const warnings: unknown[] = [];
const logger = { debug() {}, info() {}, error() {}, warn: (_: string, fields = {}) => void warnings.push(fields) };
const worker = createWorker({ storage, workflows: [listening], logger });
const client = createClient({ storage });
const run = await client.start(listening, undefined);
await worker.runUntilIdle();
await run.cancel();
await worker.runUntilIdle();
const codes = warnings.map((fields) => (fields as { readonly code: string }).code);
console.log(
  JSON.stringify({ status: await run.status(), codes, listeners: process.listenerCount("unhandledRejection") }),
);
