// npm start: orders and runs in one database. Everything happens in a schema (on MySQL, a database) that is gone afterwards.
import { randomBytes } from "node:crypto";
import { demo } from "./demo.ts";
import { serverOf } from "./server.ts";
import { WorkerProcess } from "./worker-process.ts";

const LIMIT_MS = 60_000;

const [kind = "postgres"] = process.argv.slice(2);
const server = await serverOf(kind);
const url = process.env[server.variable] || server.usual;
const place = `${server.product} at ${URL.canParse(url) ? new URL(url).host : "that address"}`;
const name = `perdure_shop_${randomBytes(4).toString("hex")}`;
const workers: WorkerProcess[] = [];

let leaving: Promise<never> | undefined;

/** However this process ends, it leaves neither a worker nor a table behind. What fails because of that has nothing more to say. */
function leave(code: number, sentence?: string): Promise<never> {
  leaving ??= tidyAndExit(code, sentence);
  return leaving;
}

async function tidyAndExit(code: number, sentence?: string): Promise<never> {
  for (const worker of workers) worker.killNow();
  await server.drop(url, name).catch(() => {});
  if (sentence !== undefined) console.error(`transactional-order: failed — ${sentence}`);
  process.exit(code);
}

function reasonOf(error: unknown): string {
  const { message, code } = error as Error & { readonly code?: string };
  return message || code || String(error);
}

process.once("SIGINT", () => void leave(130));
process.once("SIGTERM", () => void leave(143));
process.once("SIGHUP", () => void leave(129));
setTimeout(() => void leave(1, `It was not over after ${LIMIT_MS / 1_000} seconds.`), LIMIT_MS).unref();

try {
  await server.create(url, name);
} catch (error) {
  console.error(
    `transactional-order: ${place} is of no use: ${reasonOf(error)}\n` +
      `Start one, for example:\n  ${server.example}\nor say where yours is, with a user who may create ${server.creates}:\n` +
      `  ${server.variable}=${server.form} npm start -w examples/transactional-order${server.argument}`,
  );
  process.exit(1);
}
console.log(`${place}, ${name}`);
try {
  const verdict = await demo(server, url, name, (diesAt) => {
    const worker = new WorkerProcess(kind, url, name, diesAt);
    workers.push(worker);
    return worker;
  });
  await server.drop(url, name);
  console.log(verdict);
} catch (error) {
  await leave(1, reasonOf(error));
}
