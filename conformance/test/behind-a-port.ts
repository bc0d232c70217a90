import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { memory } from "@perdure/core/memory";
import { type StorageBackend, StorageError, type StorageInfo } from "@perdure/core/storage";
import type { OwnServer, ServerAddress } from "../src/index.ts";
import { type Verb, wrapVerbs } from "../src/verbs.ts";

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

/** What a server does for its clients. */
export interface Service {
  /** Of the server's own process. */
  open(namespace: string): StorageBackend;
  /** Is told what the time is for whoever calls. */
  onCall?(at: number): void;
}

/** Declares what holds behind a port; hints and transactions do not travel. */
export function withInfo(backend: StorageBackend, info: StorageInfo): StorageBackend {
  return Object.defineProperties({ ...backend }, { info: { value: info }, subscribe: { value: undefined } });
}

/** Starts a server that keeps no process alive. Answers its port. */
export async function listen(service: Service): Promise<number> {
  return portOf(await serve(0, (socket) => answerCalls(socket, service)));
}

/**
 * A server that can be killed: nobody is answered any more, and what was under way is done or not.
 * @param service called at each start
 * @param onKill called when nobody is answered any more
 */
export async function killableServer(service: () => Service, onKill: () => void): Promise<OwnServer> {
  const sockets = new Set<Socket>();
  const start = async (at: number): Promise<Server> => {
    const started = service();
    return serve(at, (socket) => {
      sockets.add(socket.on("close", () => sockets.delete(socket)));
      answerCalls(socket, started);
    });
  };
  let listening = await start(0);
  const own = portOf(listening);
  const kill = async (): Promise<void> => {
    listening.close();
    for (const socket of sockets) socket.destroy();
    onKill();
  };
  const restart = async (): Promise<void> => void (listening = await start(own));
  return { host: "127.0.0.1", port: own, kill, restart, stop: kill };
}

async function serve(at: number, answer: (socket: Socket) => void): Promise<Server> {
  const listening = createServer(answer).unref();
  await new Promise<void>((resolve) => listening.listen(at, "127.0.0.1", resolve));
  return listening;
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

function answerCalls(socket: Socket, service: Service): void {
  let backend: StorageBackend | undefined;
  socket
    .on("error", () => {})
    .setNoDelay()
    .unref();
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  lines.on("line", (line) => {
    if (backend === undefined) {
      backend = service.open(JSON.parse(line) as string);
      socket.write(`${JSON.stringify(backend.info)}\n`);
      return;
    }
    const { id, verb, args, at } = JSON.parse(line) as Call;
    service.onCall?.(at);
    const method = backend[verb] as (...args: readonly unknown[]) => Promise<unknown>;
    method.apply(backend, [...args]).then(
      (answer) => socket.write(`${JSON.stringify({ id, answer } satisfies Answer)}\n`),
      (error: unknown) => socket.write(`${JSON.stringify({ id, error: String(error) } satisfies Answer)}\n`),
    );
  });
}

/** A client that connects anew when its connection has broken. The calls that were under way are `unavailable`. */
export async function remote(address: ServerAddress, namespace: string): Promise<StorageBackend> {
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
