import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findMysql, findPostgres, skippedBackends } from "perdure-servers";
import pg from "pg";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterEach, describe, expect, it, vi } from "vitest";

const program = join(import.meta.dirname, "..", "src", "main.ts");

interface Database {
  readonly kind: string;
  readonly variable: string;
  url(): Promise<string>;
  /** Whether a place of this name is there. */
  has(name: string): Promise<boolean>;
}

const databases: readonly Database[] = [
  {
    kind: "postgres",
    variable: "PERDURE_POSTGRES_URL",
    url: async () => (await findPostgres()).url,
    async has(name) {
      const client = new pg.Client(await this.url());
      await client.connect();
      const { rowCount } = await client.query("select from pg_namespace where nspname = $1", [name]);
      await client.end();
      return rowCount === 1;
    },
  },
  {
    kind: "mysql",
    variable: "PERDURE_MYSQL_URL",
    url: async () => (await findMysql()).url,
    async has(name) {
      const connection = await createConnection(await this.url());
      const [rows] = await connection.query<RowDataPacket[]>("show databases like ?", [name]);
      await connection.end();
      return rows.length === 1;
    },
  },
];

/** The program as a child process. */
class Program {
  readonly #child;
  readonly #ended;
  output = "";
  errors = "";

  constructor({ kind, variable }: Database, url: string) {
    this.#child = spawn(process.execPath, ["--conditions=@perdure/source", program, kind], {
      env: { ...process.env, [variable]: url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout.on("data", (chunk) => (this.output += String(chunk)));
    this.#child.stderr.on("data", (chunk) => (this.errors += String(chunk)));
    this.#ended = once(this.#child, "close") as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  }

  get place(): string {
    return /perdure_shop_\w+/.exec(this.output)![0];
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }
}

const running: Program[] = [];
afterEach(() => {
  for (const one of running.splice(0)) one.kill("SIGKILL");
});

async function run(database: Database, url?: string): Promise<Program> {
  const started = new Program(database, url ?? (await database.url()));
  running.push(started);
  return started;
}

const there = databases.filter(({ kind }) => !skippedBackends().includes(kind));

describe.each(there)("the shop on $kind", { timeout: 70_000 }, (database) => {
  it("takes stock once, whenever its workers are killed, and leaves nothing of a refused order (I3, I12)", async () => {
    const shop = await run(database);
    expect(await shop.ended()).toBe(0);
    expect(shop.errors).toBe("");
    const lines = shop.output.trimEnd().split("\n").slice(1);
    expect(lines).toEqual([
      "placed    o-1: order placed, run pending, 10 pens in stock",
      "refused   o-2: More than 20 pieces would be under way. Neither a row nor a run is left",
      expect.stringMatching(/^killed .+ before its commit: order placed, run suspended, 10 pens in stock$/),
      expect.stringMatching(/^killed .+ after its commit: order reserved, run (suspended|running), 7 pens in stock$/),
      expect.stringMatching(/^paid .+: order paid, run (suspended|running), 7 pens in stock$/),
      expect.stringMatching(
        /^finished .+: order shipped, run completed, 7 pens in stock, \{"left":7,"receipt":"receipt 7"\}$/,
      ),
      "transactional-order: ok — 10 pens, 3 ordered, 2 workers killed, 7 pens left",
    ]);
    expect(await database.has(shop.place)).toBe(false);
  });

  it("leaves nothing behind when it is asked to end", async () => {
    const shop = await run(database);
    await vi.waitFor(() => expect(shop.output).toContain("before its commit"), 30_000);
    expect(await database.has(shop.place)).toBe(true);
    shop.kill("SIGTERM");
    expect(await shop.ended()).toBe(143);
    expect(await database.has(shop.place)).toBe(false);
  });

  it("says what to do where there is no server, and no password", async () => {
    const url = new URL(await database.url());
    url.hostname = "127.0.0.1";
    url.username = "ada";
    url.password = "s3cret";
    url.port = "1";
    const shop = await run(database, url.href);
    expect(await shop.ended()).toBe(1);
    expect(shop.errors).toContain("at 127.0.0.1:1 is of no use: ");
    expect(shop.errors).toContain(`${database.variable}=`);
    expect(shop.errors).not.toContain("s3cret");
    expect(shop.output).toBe("");
  });
});
