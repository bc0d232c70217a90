import { access, constants } from "node:fs/promises";
import { connect } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { skippedBackends, startMariadb, startPostgres, startRedis, type TestServer } from "../src/index.ts";
import { query } from "./queries.ts";

const table = {
  trivial: "select 1 as one",
  one: [{ one: 1 }],
  first: ["create table kept (n int)", "insert into kept values (1)"],
  second: "insert into kept values (2)",
  read: "select n from kept order by n",
  kept: [{ n: 1 }, { n: 2 }],
};

const kinds = [
  {
    ...table,
    backend: "postgres",
    start: startPostgres,
    settings: { max_connections: 17 },
    shown: "select current_setting('max_connections') as connections, current_setting('fsync') as syncs",
    expected: [{ connections: "17", syncs: "on" }],
    refusal: "password authentication failed",
  },
  {
    ...table,
    backend: "mysql",
    start: startMariadb,
    settings: { max_connections: 17 },
    shown: "select @@max_connections as connections, @@innodb_flush_log_at_trx_commit as syncs",
    expected: [{ connections: 17, syncs: 1 }],
    refusal: "Access denied",
  },
  {
    backend: "redis",
    start: startRedis,
    settings: { maxclients: 17 },
    trivial: "ping",
    one: "PONG",
    first: ["rpush kept 1"],
    second: "rpush kept 2",
    read: "lrange kept 0 -1",
    kept: ["1", "2"],
    shown: "config get maxclients append*",
    expected: expect.arrayContaining(["maxclients", "17", "appendonly", "yes", "appendfsync", "always"]),
    refusal: "WRONGPASS",
  },
];

for (const { backend, start, settings, shown, expected, refusal, ...words } of kinds) {
  describe.runIf(!skippedBackends().includes(backend))(`a ${backend} of a test's own`, () => {
    it("has its settings, and keeps what was committed when it is killed, killed again, and restarted", async () => {
      const server = await start({ settings });
      try {
        expect(await query(server.url, shown)).toEqual(expected);
        await query(server.url, ...words.first);
        await server.kill();
        await expect(query(server.url, shown)).rejects.toThrow("ECONNREFUSED");

        await server.restart();
        await query(server.url, words.second);
        await server.kill();
        await server.restart();
        await server.restart();
        expect(await query(server.url, words.read)).toEqual(words.kept);
        expect(await query(server.url, shown)).toEqual(expected);
      } finally {
        await server.stop();
      }
      await expectGone(server);
    });

    it("asks for its password", async () => {
      const server = await start({ password: "it's @ secret" });
      try {
        expect(await query(server.url, words.trivial)).toEqual(words.one);
        const wrong = new URL(server.url);
        wrong.password = "guessed";
        await expect(query(wrong.href, words.trivial)).rejects.toThrow(refusal);
        await server.kill();
      } finally {
        await server.stop();
      }
      await expectGone(server);
    });

    it("that does not start says what it wrote", async () => {
      const failed = start({ settings: { imaginary_setting: 1 } });
      await expect(failed).rejects.toThrow(/does not answer\. It wrote: [^]*imaginary_setting/);
    });
  });
}

async function expectGone({ folder, host, port }: TestServer): Promise<void> {
  await expect(access(folder, constants.F_OK)).rejects.toThrow("ENOENT");
  await expect(once(connect(port, host), "connect")).rejects.toThrow("ECONNREFUSED");
}
