import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { createMemoryStore, memory, type MemoryStore } from "@perdure/core/memory";
import { type StorageBackend, StorageError, type StorageInfo } from "@perdure/core/storage";
import type { BackendUnderTest, OwnServer, ServerAddress } from "../src/index.ts";
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
  /** What the time is for the caller. */
  readonly at: number;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** What a test spoils. */
export const mutation: {
  /** Verbs, for every client. */
  breakIt: (honest: StorageBackend) => Partial<StorageBackend>;
  /** A case's own server has an empty store when it was killed. */
  forgets: boolean;
  /** The store takes the time from whoever calls. */
  believes: boolean;
} = { breakIt: () => ({}), forgets: false, believes: false };

let toldOffMs = 0;
const clock = { now: () => Date.now() + toldOffMs };

const store = createMemoryStore();
const [pid, port] = (process.env[SERVER] ?? "").split(" ").map(Number);
const child = port !== undefined && pid !== process.pid;
const server: ServerAddress = { host: "127.0.0.1", port: child ? port : await listen() };

const subject: BackendUnderTest = {
  name: "served-memory",
  module: new URL(import.meta.url),
  server,
  open: ({ namespace, server: through }) =>
    child || through ? remote(through ?? server, namespace) : local(namespace, store),
  startServer,
};
export default subject;

function local(namespace: string, of: MemoryStore): StorageBackend {
  const honest = wrapVerbs(memory({ namespace, store: of, clock }), (_verb, _args, call) => call());
  return withInfo({ ...honest, ...mutation.breakIt(honest) }, declared(honest.info));
}

function declared(info: StorageInfo): StorageInfo {
  return {
    ...info,
    capabilities: {
      ...info.capabilities,
      processes: "many",
      durability: "replicated",
      wakeups: "none",
      transactions: [],
    },
  };
}

/** Declares what holds behind a port; hints and transactions do not travel. */
function withInfo(backend: StorageBackend, info: StorageInfo): StorageBackend {
  return Object.defineProperties({ ...backend }, { info: { value: info }, subscribe: { value: undefined } });
}

async function listen(): Promise<number> {
  const own = portOf(await serve(0, (socket) => answerCalls(socket, store)));
  process.env[SERVER] = `${process.pid} ${own}`;
  return own;
}

async function serve(at: number, answer: (socket: Socket) => void): Promise<Server> {
  const listening = createServer(answer).unref();
  await new Promise<void>((resolve) => listening.listen(at, "127.0.0.1", resolve));
  return listening;
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

/** A server that can be killed: nobody is answered any more, and what was under way is done or not. */
async function startServer(): Promise<OwnServer> {
  let kept = createMemoryStore();
  const sockets = new Set<Socket>();
  const answer = (socket: Socket): void => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    answerCalls(socket, kept);
  };
  let listening = await serve(0, answer);
  const own = portOf(listening);
  const kill = async (): Promise<void> => {
    listening.close();
    for (const socket of sockets) socket.destroy();
    if (mutation.forgets) kept = createMemoryStore();
  };
  const restart = async (): Promise<void> => void (listening = await serve(own, answer));
  return { host: "127.0.0.1", port: own, kill, restart, stop: kill };
}

function answerCalls(socket: Socket, of: MemoryStore): void {
  let backend: StorageBackend | undefined;
  socket
    .on("error", () => {})
    .setNoDelay()
    .unref();
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  lines.on("line", (line) => {
    if (backend === undefined) {
      backend = local(JSON.parse(line) as string, of);
      socket.write(`${JSON.stringify(backend.info)}\n`);
      return;
    }
    const { id, verb, args, at } = JSON.parse(line) as Call;
    if (mutation.believes) toldOffMs = at - Date.now();
    const method = backend[verb] as (...args: readonly unknown[]) => Promise<unknown>;
    method.apply(backend, [...args]).then(
      (answer) => socket.write(`${JSON.stringify({ id, answer } satisfies Answer)}\n`),
      (error: unknown) => socket.write(`${JSON.stringify({ id, error: String(error) } satisfies Answer)}\n`),
    );
  });
}

/** A client that connects anew when its connection has broken. The calls that were under way are `unavailable`. */
async function remote(address: ServerAddress, namespace: string): Promise<StorageBackend> {
  let connection = await Connection.open(address, namespace);
  const backend = wrapVerbs(memory(), async (verb, args) => {
    if (verb === "close") return connection.close();
    if (connection.broken) connection = await Connection.open(address, namespace);
    return connection.call(verb, args);
  });
  return withInfo(backend, connection.info);
}

class Connection {
  readonly info: StorageInfo;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  private constructor(socket: Socket, info: StorageInfo, lines: AsyncIterator<string>) {
    this.info = info;
    this.#socket = socket.on("close", () => this.#lose());
    // When it breaks, it is lost.
    this.#read(lines).catch(() => {});
  }

  static async open({ host, port: at }: ServerAddress, namespace: string): Promise<Connection> {
    const socket = connect(at, host).setNoDelay();
    socket.on("error", () => {});
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    socket.write(`${JSON.stringify(namespace)}\n`);
    const { value } = await lines.next().catch((error: unknown) => {
      throw unavailable(String(error));
    });
    if (value === undefined) throw unavailable("there is no answer");
    return new Connection(socket, JSON.parse(value as string) as StorageInfo, lines);
  }

  get broken(): boolean {
    return this.#socket.destroyed;
  }

  async call(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    const answered = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answered);
    this.#socket.write(`${JSON.stringify({ id, verb, args, at: Date.now() } satisfies Call)}\n`);
    return await answered.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #read(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const { id, answer, error } = JSON.parse(line.value) as Answer;
      if (error === undefined) this.#waiting.get(id)?.resolve(answer);
      else this.#waiting.get(id)?.reject(unavailable(error));
      this.#waiting.delete(id);
    }
  }

  #lose(): void {
    for (const { reject } of this.#waiting.values()) reject(unavailable("the connection has broken"));
    this.#waiting.clear();
  }
}

function unavailable(why: string): StorageError {
  return new StorageError("unavailable", `The server did not do it: ${why}. Repeat the call.`);
}
