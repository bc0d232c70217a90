import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { createMemoryStore, memory } from "@perdure/core/memory";
import { type StorageBackend, StorageError, type StorageInfo } from "@perdure/core/storage";
import type { BackendUnderTest } from "../src/index.ts";
import { type Verb, wrapVerbs } from "../src/verbs.ts";

/**
 * The memory backend behind a port: the process of the test is the server, and other processes are its clients. A store that
 * survives its workers, to try the crash lab with; `breakIt` makes mutants of it.
 */
const SERVER = "PERDURE_TEST_SERVER";

interface Call {
  readonly id: number;
  readonly verb: Verb;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** The verbs that a test spoils, for every client. */
export const mutation: { breakIt: (honest: StorageBackend) => Partial<StorageBackend> } = { breakIt: () => ({}) };

const store = createMemoryStore();
let serving: Promise<void> | undefined;

const subject: BackendUnderTest = {
  name: "served-memory",
  module: new URL(import.meta.url),
  async open({ namespace }) {
    const [pid, port] = (process.env[SERVER] ?? "").split(" ").map(Number);
    if (port !== undefined && pid !== process.pid) return remote(port, namespace);
    serving ??= serve();
    await serving;
    return local(namespace);
  },
};
export default subject;

function local(namespace: string): StorageBackend {
  const honest = wrapVerbs(memory({ namespace, store }), (_verb, _args, call) => call());
  return withInfo({ ...honest, ...mutation.breakIt(honest) }, declared(honest.info));
}

function declared(info: StorageInfo): StorageInfo {
  return {
    ...info,
    capabilities: { ...info.capabilities, processes: "many", durability: "replicated", wakeups: "none" },
  };
}

/** Declares what holds behind a port; hints do not travel. */
function withInfo(backend: StorageBackend, info: StorageInfo): StorageBackend {
  return Object.defineProperties({ ...backend }, { info: { value: info }, subscribe: { value: undefined } });
}

async function serve(): Promise<void> {
  const server = createServer((socket) => answerCalls(socket)).unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env[SERVER] = `${process.pid} ${(server.address() as AddressInfo).port}`;
}

function answerCalls(socket: Socket): void {
  let backend: StorageBackend | undefined;
  socket
    .on("error", () => {})
    .setNoDelay()
    .unref();
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  lines.on("line", (line) => {
    if (backend === undefined) {
      backend = local(JSON.parse(line) as string);
      socket.write(`${JSON.stringify(backend.info)}\n`);
      return;
    }
    const { id, verb, args } = JSON.parse(line) as Call;
    const method = backend[verb] as (...args: readonly unknown[]) => Promise<unknown>;
    method.apply(backend, [...args]).then(
      (answer) => socket.write(`${JSON.stringify({ id, answer } satisfies Answer)}\n`),
      (error: unknown) => socket.write(`${JSON.stringify({ id, error: String(error) } satisfies Answer)}\n`),
    );
  });
}

async function remote(port: number, namespace: string): Promise<StorageBackend> {
  const socket = connect(port, "127.0.0.1").setNoDelay();
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.write(`${JSON.stringify(namespace)}\n`);
  const info = JSON.parse((await lines.next()).value as string) as StorageInfo;
  const waiting = new Map<number, (answer: Answer) => void>();
  void (async () => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const answer = JSON.parse(line.value) as Answer;
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    }
  })();
  let calls = 0;
  const backend = wrapVerbs(memory(), async (verb, args) => {
    if (verb === "close") return socket.destroy();
    const id = ++calls;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    socket.write(`${JSON.stringify({ id, verb, args } satisfies Call)}\n`);
    const { answer, error } = await answered;
    if (error !== undefined) throw new StorageError("unavailable", `The server refused: ${error}. Repeat the call.`);
    return answer;
  });
  return withInfo(backend, info);
}
