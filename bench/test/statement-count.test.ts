import { Client } from "pg";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { Redis } from "ioredis";
import { findMysql, findPostgres, startRedis } from "perdure-servers";
import { skippedBackends } from "perdure-servers/skipped";
import { describe, expect, it } from "vitest";
import { countMysqlStatements } from "../src/backends/mysql-statement-count.ts";
import { countPostgresStatements } from "../src/backends/postgres-statement-count.ts";
import { countRedisCommands } from "../src/backends/redis-command-count.ts";
import { statementsIn } from "../src/backends/statements-in.ts";

describe("statements in a text", () => {
  it.each([
    ["select 1", 1],
    ["begin; select ';'; select 'it''s;' as \"a;b\"; commit;", 4],
    ["set a = b; SET c = d", 0],
    ['set synchronous_commit = off; listen "a"', 0],
    ["set jit = off; select set_config('a', 'on', false) where current_setting('a') = 'off'", 0],
    ["", 0],
  ])("%j: %d", (text, count) => expect(statementsIn(text)).toBe(count));
});

describe.runIf(!skippedBackends().includes("postgres"))("statements for PostgreSQL", () => {
  it("are as many as the server says it has executed", async () => {
    const client = new Client((await findPostgres()).url);
    await client.connect();
    let executed = 0;
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    connection.on("commandComplete", () => executed++);
    const count = countPostgresStatements();
    try {
      await client.query("begin");
      await client.query("select 1; select ';'; select 2");
      await client.query("select $1::int", [1]);
      await client.query({ name: "one", text: "select $1::int", values: [1] });
      await client.query({ name: "one", text: "select $1::int", values: [1] });
      await new Promise<void>((resolve) => {
        client.query({ text: "select pg_notify('nobody', '')" }, () => resolve());
      });
      await client.query("commit");
      expect(count()).toBe(9);
      expect(executed).toBe(9);
    } finally {
      await client.end();
    }
  });
});

describe.runIf(!skippedBackends().includes("mysql"))("statements for MySQL", () => {
  it("are as many as the server says it has executed", async () => {
    const connection = await createConnection({ uri: (await findMysql()).url, multipleStatements: true });
    const questions = async (): Promise<number> => {
      const [rows] = await connection.query<RowDataPacket[]>("show session status like 'Questions'");
      return Number(rows[0]!["Value"]);
    };
    try {
      const before = await questions();
      const count = countMysqlStatements();
      await connection.query("start transaction; select ';'; select 1 from dual where 1 = 0; commit");
      await connection.query("select ?", ["a;b"]);
      await connection.execute("select ?", [1]);
      await connection.execute("select ?", [1]);
      // The question is one, too.
      expect((await questions()) - before).toBe(8);
      expect(count()).toBe(8);
      await connection.query("set session transaction isolation level read committed");
      expect(count()).toBe(8);
    } finally {
      await connection.end();
    }
  });
});

describe.runIf(!skippedBackends().includes("redis"))("commands for Redis", () => {
  it("are as many as the server says it was given", async () => {
    const server = await startRedis();
    const count = countRedisCommands();
    const client = new Redis(server.url);
    try {
      await client.set("one", 1);
      const before = count();
      await Promise.all([client.get("one"), client.incr("one"), client.publish("nobody", "")]);
      // What a script does is its own affair.
      await client.eval("for i = 1, 10 do redis.call('INCR', KEYS[1]) end", 1, "two");
      await client.evalsha("0".repeat(40), 0).catch(() => {});
      expect(count() - before).toBe(5);
      const stats = [...(await client.info("commandstats")).matchAll(/cmdstat_(\w+):calls=(\d+)/gu)];
      const calls = new Map(stats.map(([, name, number]) => [name, Number(number)]));
      expect(["get", "publish", "eval", "evalsha"].map((name) => calls.get(name))).toEqual([1, 1, 1, 1]);
      expect(calls.get("incr")).toBe(11);
      expect(count() - before).toBe(5);
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
