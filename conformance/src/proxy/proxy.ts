import { once } from "node:events";
import { type AddressInfo, type Server, createServer } from "node:net";
import { Connection } from "./connection.ts";
import { type Aim, type Cut, PlannedCut } from "./cut.ts";
import { Line } from "./line.ts";

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** How often each fault happened. A test whose fault never happened proves nothing. */
export interface NetworkFaults {
  /** Connections that {@link TcpProxy.cut} ended. */
  readonly cut: number;
  readonly cutBeforeRequest: number;
  readonly cutAfterReply: number;
  /** Pieces of traffic that arrived while the network was a black hole. */
  readonly blackholed: number;
}

/**
 * A network that fails as a test wants it to: it listens on 127.0.0.1, and passes on what it gets to a server, and back. It
 * knows no protocol. What a client sends after an answer is a request, until the server answers again.
 *
 * @example
 * const proxy = await TcpProxy.start({ host: "127.0.0.1", port: 5432 });
 * const cut = proxy.cutAfterReply((bytes) => bytes.includes("COMMIT"));
 */
export class TcpProxy implements ServerAddress {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly #server: Server;
  readonly #line = new Line();
  readonly #connections = new Set<Connection>();
  readonly #happened = { cut: 0, cutBeforeRequest: 0, cutAfterReply: 0, blackholed: 0 };
  #plans: PlannedCut[] = [];
  #requests = 0;

  private constructor(server: Server, target: ServerAddress) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (client) => {
      this.#connections.add(
        new Connection(client, target, this.#line, {
          request: (bytes, begins) => this.#request(bytes, begins),
          held: () => void (this.#happened.blackholed += 1),
          cut: ({ moment }) => void (this.#happened[moment === "before" ? "cutBeforeRequest" : "cutAfterReply"] += 1),
          closed: (connection) => void this.#connections.delete(connection),
        }),
      );
    });
  }

  /** Listens on a free port. */
  static async start(target: ServerAddress): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TcpProxy(server, target);
  }

  get happened(): NetworkFaults {
    return { ...this.#happened };
  }

  /** How many requests clients have begun, on all connections. */
  get requests(): number {
    return this.#requests;
  }

  /** How long everything takes in each direction. 0 at first. */
  get latencyMs(): number {
    return this.#line.latencyMs;
  }

  set latencyMs(ms: number) {
    this.#line.latencyMs = ms;
  }

  /** While it is on nothing arrives, and no connection ends. What was sent meanwhile arrives when it is off again. */
  blackhole(on: boolean): void {
    this.#line.dead = on;
  }

  /** Ends every connection now; answers how many there were. */
  cut(): number {
    const connections = [...this.#connections];
    for (const connection of connections) connection.destroy();
    this.#happened.cut += connections.length;
    return connections.length;
  }

  /** Ends the connection of a request before the server gets any of it. The next one, if not told otherwise. */
  cutBeforeRequest(aim: Aim = 1): Cut {
    return this.#plan(new PlannedCut("before", aim));
  }

  /**
   * Passes a request on, waits until the server has answered it, and ends the connection without passing the answer on: it was
   * executed, and the client does not hear of it. The next one, if not told otherwise.
   */
  cutAfterReply(aim: Aim = 1): Cut {
    return this.#plan(new PlannedCut("after", aim));
  }

  /** Ends every connection, and listens no longer. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #plan(plan: PlannedCut): PlannedCut {
    this.#plans.push(plan);
    return plan;
  }

  #request(bytes: Buffer, begins: boolean): PlannedCut | undefined {
    if (begins) this.#requests += 1;
    this.#plans = this.#plans.filter(({ armed }) => armed);
    return this.#plans.find((plan) => plan.hits(bytes, begins));
  }
}
