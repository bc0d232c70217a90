import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skippedBackends, startPgBouncer, startPostgres, type TestServer } from "../src/index.ts";

describe.runIf(!skippedBackends().includes("postgres"))("PgBouncer", () => {
  let postgres: TestServer;
  beforeAll(async () => {
    postgres = await startPostgres({ password: "it's secret" });
  });
  afterAll(() => postgres.stop());

  /** Two clients before one connection of the server. */
  async function withClients(
    poolMode: "transaction" | "session",
    use: (first: pg.Client, second: pg.Client) => Promise<void>,
  ): Promise<void> {
    const bouncer = await startPgBouncer({ target: postgres.url, poolMode, settings: { default_pool_size: 1 } });
    const clients = [new pg.Client(bouncer.url), new pg.Client(bouncer.url)] as const;
    try {
      await Promise.all(clients.map((client) => client.connect()));
      await use(...clients);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
      await bouncer.stop();
    }
  }
  const process = async (client: pg.Client): Promise<{ port: number; pid: number }> => {
    const { rows } = await client.query("select inet_server_port() as port, pg_backend_pid() as pid");
    return rows[0];
  };

  it("lends a connection of the server for a transaction", async () => {
    await withClients("transaction", async (first, second) => {
      const lent = await process(first);
      expect(lent.port).toBe(postgres.port);
      expect(await process(second)).toEqual(lent);
    });
  });

  it("stands before a server that asks for no password, too", async () => {
    const trusting = await startPostgres();
    const bouncer = await startPgBouncer({ target: trusting.url, poolMode: "transaction" });
    const client = new pg.Client(bouncer.url);
    try {
      await client.connect();
      expect((await process(client)).port).toBe(trusting.port);
    } finally {
      await client.end();
      await bouncer.stop();
      await trusting.stop();
    }
  });

  it("lends a connection of the server until the client leaves", async () => {
    await withClients("session", async (first, second) => {
      const order: string[] = [];
      const lent = await process(first);
      const waited = process(second).then(() => order.push("second served"));
      await process(first);
      expect((await process(first)).pid).toBe(lent.pid);
      order.push("first leaves");
      await first.end();
      await waited;
      expect(order).toEqual(["first leaves", "second served"]);
    });
  });
});
