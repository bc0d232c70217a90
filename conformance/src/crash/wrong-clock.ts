import type { WorkerOrder } from "./order.ts";

// Loaded before everything else: whatever this process asks for the time of day is told what its order says.

const { clock } = JSON.parse(process.argv[2]!) as WorkerOrder;
const { offsetsMs, everyMs } = clock!;
const TrueDate = Date;
const trueNow = Date.now.bind(Date);

function wrongNow(): number {
  return trueNow() + offsetsMs[Math.floor(performance.now() / everyMs) % offsetsMs.length]!;
}

TrueDate.now = wrongNow;
globalThis.Date = new Proxy(TrueDate, {
  construct: (_, args, newTarget) => Reflect.construct(TrueDate, args.length === 0 ? [wrongNow()] : args, newTarget),
  apply: () => new TrueDate(wrongNow()).toString(),
});
