import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TcpProxy } from "../src/index.ts";

/** Answers every line with itself, as soon as all of it has arrived. */
class EchoServer {
  readonly lines: string[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.sockets.delete(socket));
      let rest = "";
      socket.on("data", (bytes: Buffer) => {
        const [last = "", ...lines] = (rest + bytes.toString()).split("\n").toReversed();
        rest = last;
        for (const line of lines.toReversed()) {
          this.lines.push(line);
          socket.write(`${line}\n`);
        }
      });
    });
  }

  async listen(): Promise<{ host: string; port: number }> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

describe("a proxy that fails as it is told to", () => {
  let server: EchoServer;
  let proxy: TcpProxy;
  const clients: Socket[] = [];
  beforeEach(async () => {
    server = new EchoServer();
    proxy = await TcpProxy.start(await server.listen());
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    // Would wait for every connection that the proxy has left open.
    await server.close();
  });

  async function connected(): Promise<Socket> {
    const client = connect(proxy.port, proxy.host).on("error", () => {});
    clients.push(client);
    await once(client, "connect");
    return client;
  }

  /** The answer to a line; null: the connection ended without one. */
  async function ask(client: Socket, line: string): Promise<string | null> {
    const answer = Promise.race([
      once(client, "data").then(([bytes]) => String(bytes)),
      once(client, "close").then(() => null),
    ]);
    client.write(`${line}\n`);
    return await answer;
  }

  it("passes everything on, and counts what clients ask", async () => {
    const [one, other] = [await connected(), await connected()];
    expect(await ask(one, "a")).toBe("a\n");
    expect(await ask(other, "b\nc")).toBe("b\nc\n");
    one.write("in ");
    expect(await ask(one, "pieces")).toBe("in pieces\n");
    expect(proxy.requests).toBe(3);
    expect(proxy.happened).toEqual({ cut: 0, cutBeforeRequest: 0, cutAfterReply: 0, blackholed: 0 });
  });

  it("passes the end of a connection on, after all that was sent", async () => {
    const client = await connected();
    proxy.latencyMs = 10;
    client.end("last words\n");
    expect(String((await once(client, "data"))[0])).toBe("last words\n");
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it("takes its time, in each direction", async () => {
    const client = await connected();
    await ask(client, "warm");
    proxy.latencyMs = 20;
    const sent = performance.now();
    expect(await ask(client, "slow")).toBe("slow\n");
    expect(performance.now() - sent).toBeGreaterThanOrEqual(36);
  });

  it("is a black hole while it is told to, and loses nothing", async () => {
    const client = await connected();
    await ask(client, "before");
    proxy.blackhole(true);
    const answer = ask(client, "during");
    await vi.waitFor(() => expect(proxy.happened.blackholed).toBe(1));
    expect(server.lines).toEqual(["before"]);
    proxy.blackhole(false);
    expect(await answer).toBe("during\n");
  });

  it("cuts every connection, and takes new ones", async () => {
    const cut = [await connected(), await connected()];
    for (const client of cut) await ask(client, "hello");
    const closed = Promise.all(cut.map((client) => once(client, "close")));
    expect(proxy.cut()).toBe(2);
    await closed;
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(proxy.happened.cut).toBe(2);
    expect(await ask(await connected(), "again")).toBe("again\n");
  });

  it("cuts after the reply: the server has done it, and the client does not know", async () => {
    const client = await connected();
    expect(await ask(client, "first")).toBe("first\n");
    const cut = proxy.cutAfterReply();
    expect(await ask(client, "second")).toBeNull();
    expect(cut.happened).toBe(true);
    expect(server.lines).toEqual(["first", "second"]);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(proxy.happened).toMatchObject({ cutAfterReply: 1, cutBeforeRequest: 0, cut: 0 });
    expect(await ask(await connected(), "third")).toBe("third\n");
  });

  it("cuts before the request: the server hears nothing of it", async () => {
    const client = await connected();
    expect(await ask(client, "first")).toBe("first\n");
    const cut = proxy.cutBeforeRequest();
    expect(await ask(client, "second")).toBeNull();
    expect(cut.happened).toBe(true);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(server.lines).toEqual(["first"]);
    expect(proxy.happened).toMatchObject({ cutAfterReply: 0, cutBeforeRequest: 1, cut: 0 });
  });

  it("aims at the n-th request", async () => {
    const client = await connected();
    const cut = proxy.cutAfterReply(3);
    expect([await ask(client, "1"), await ask(client, "2")]).toEqual(["1\n", "2\n"]);
    expect(cut.happened).toBe(false);
    expect(await ask(client, "3")).toBeNull();
    expect(server.lines).toEqual(["1", "2", "3"]);
  });

  it("aims at what the client says", async () => {
    const [bystander, client] = [await connected(), await connected()];
    proxy.cutBeforeRequest((bytes) => bytes.includes("COMMIT"));
    expect(await ask(client, "INSERT")).toBe("INSERT\n");
    expect(await ask(bystander, "SELECT")).toBe("SELECT\n");
    expect(await ask(client, "COMMIT")).toBeNull();
    expect(await ask(bystander, "COMMIT")).toBe("COMMIT\n");
    expect(server.lines).toEqual(["INSERT", "SELECT", "COMMIT"]);
  });

  it("lets a cut that is no longer wanted not happen", async () => {
    const client = await connected();
    const cut = proxy.cutAfterReply();
    cut.disarm();
    expect(await ask(client, "spared")).toBe("spared\n");
    expect(cut.happened).toBe(false);
  });

  it("one request suffers one cut: the second waits for the next", async () => {
    const cuts = [proxy.cutBeforeRequest(), proxy.cutAfterReply()];
    expect(await ask(await connected(), "first")).toBeNull();
    expect(await ask(await connected(), "second")).toBeNull();
    expect(cuts.map(({ happened }) => happened)).toEqual([true, true]);
    expect(server.lines).toEqual(["second"]);
  });

  it("ends a client's connection when there is no server", async () => {
    const nowhere = await TcpProxy.start({ host: "127.0.0.1", port: 1 });
    try {
      await once(connect(nowhere.port, nowhere.host), "close");
      expect(nowhere.happened.cut).toBe(0);
    } finally {
      await nowhere.close();
    }
  });
});
