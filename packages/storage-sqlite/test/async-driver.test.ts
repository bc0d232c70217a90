import { setImmediate } from "node:timers/promises";
import {
  compile,
  kyselyFor,
  runAsync,
  SqlBackend,
  type SqlDialect,
  type SqlDriver,
  type Step,
  type Steps,
} from "@perdure/storage-sql";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { SqliteSql } from "../src/dialect.ts";
import { infoOf } from "../src/info.ts";
import { settingsOf } from "../src/options.ts";
import { PulseClock } from "../src/pulse-clock.ts";
import { anything, done, hold, newRun } from "./requests.ts";

/** SQLite as a server would be: every statement is answered in a later turn of the event loop. */
class LateDriver implements SqlDriver {
  readonly #database = new Database(":memory:");
  readonly #dialect: SqlDialect;
  #before: Promise<unknown> = Promise.resolve();
  statements = 0;

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  open(): void {}

  read<T>(program: () => Steps<T>): Promise<T> {
    return this.#alone("begin", program);
  }

  write<T>(program: () => Steps<T>): Promise<T> {
    return this.#alone("begin immediate", program);
  }

  close(): void {
    this.#database.close();
  }

  #alone<T>(begin: string, program: () => Steps<T>): Promise<T> {
    const answer = this.#before.then(() => this.#transact(begin, program));
    this.#before = answer.catch(() => {});
    return answer;
  }

  async #transact<T>(begin: string, program: () => Steps<T>): Promise<T> {
    this.#database.exec(begin);
    try {
      const answer = await runAsync(program(), (step) => this.#execute(step));
      this.#database.exec("commit");
      return answer;
    } catch (error) {
      this.#database.exec("rollback");
      throw error;
    }
  }

  async #execute({ query, args, want }: Step): Promise<unknown> {
    await setImmediate();
    this.statements += 1;
    const { sql, bind } = compile(query, kyselyFor(this.#dialect), this.#dialect);
    const statement = this.#database.prepare(sql);
    if (want === "count") return statement.run(bind(args)).changes;
    return want === "row" ? statement.get(bind(args)) : statement.all(bind(args));
  }
}

test("the programs of the verbs run over a driver that answers later, unchanged", async () => {
  const settings = settingsOf(":memory:");
  const dialect = new SqliteSql(":memory:", new PulseClock(settings.clock));
  const driver = new LateDriver(dialect);
  const storage = new SqlBackend({ info: infoOf(settings), namespace: "n", migrate: "auto", dialect, driver });
  expect(storage.subscribe).toBeUndefined();
  const created = await storage.createRuns(["a", "b", "a"].map((runId) => newRun(runId)));
  expect(created.map(({ status }) => status)).toEqual(["created", "created", "existing"]);
  const { tasks } = await storage.claimTasks(anything());
  expect(tasks.map(({ claim }) => claim.runId)).toEqual(["a", "b"]);
  const [a, b] = tasks.map(({ claim }) => claim);
  const results = await Promise.all([
    storage.commitTasks([hold(a!, 1), hold(b!, 7)]),
    storage.deliver([{ runId: "b", dedupeId: "m", external: true, data: "1" }]),
    storage.commitTasks([done(a!, 2)]),
  ]);
  expect(results).toMatchObject([
    [
      { status: "ok", held: true },
      { status: "conflict", lastSeq: 1 },
    ],
    [{ status: "accepted" }],
    [{ status: "ok", held: false }],
  ]);
  expect(await storage.getRun("a")).toMatchObject({ status: "completed", output: "42", lastSeq: 3, task: null });
  expect((await storage.readEvents([{ runId: "a", after: 0 }]))[0]!.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(await storage.getRun("b")).toMatchObject({ status: "open", task: { unread: 1 } });
  expect(driver.statements).toBeGreaterThan(30);
  await storage.close();
});
