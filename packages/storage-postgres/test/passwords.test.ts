import { inspect } from "node:util";
import type { Topic } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { startPostgres, type TestServer } from "perdure-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";

describe("a server with passwords", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres({ password: "it's s3cret" });
  }, 60_000);
  afterAll(() => server.stop());

  test("a wrong one, and none, are misconfigured; neither is told to anybody (I29)", async () => {
    for (const [password, says] of [
      ["gu3ssed", 'password authentication failed for user "postgres"'],
      ["", "asks for a password"],
    ] as const) {
      const wrong = new URL(server.url);
      wrong.password = password;
      const failure = await failureOf(postgres(wrong.href));
      expect(failure).toMatchObject({ code: "misconfigured" });
      expect(failure.message).toContain(says);
      if (password !== "") expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(password);
    }
  });

  test("the right one is used for every connection, also of a caller's pool that hides it", async () => {
    const { hostname: host, port } = new URL(server.url);
    const password = (): string => "it's s3cret";
    for (const own of [{ password: password() }, { password }]) {
      const pool = new pg.Pool({ host, port: Number(port), user: "postgres", database: "postgres", ...own });
      const storage = postgres({ pool });
      const heard: Topic[] = [];
      const subscription = await storage.subscribe!((topic) => heard.push(topic));
      subscription.add({ of: "queue", queue: "main" });
      const other = postgres(server.url);
      await other.createRuns([newRun(`run-${typeof own.password}`)]);
      await expect.poll(() => heard.length, { interval: 5 }).toBe(1);
      await Promise.all([storage.close(), other.close()]);
      await pool.end();
    }
  });

  test("a user's function that fails to bring one is tried again", async () => {
    const { hostname: host, port } = new URL(server.url);
    let isAway = true;
    const password = async (): Promise<string> => {
      if (isAway) throw new Error("The vault is closed.");
      return "it's s3cret";
    };
    const storage = postgres({ pool: { host, port: Number(port), user: "postgres", database: "postgres", password } });
    onTestFinished(() => storage.close());
    await expect(storage.setup()).rejects.toMatchObject({
      code: "unavailable",
      cause: { message: "The vault is closed." },
    });
    isAway = false;
    await storage.setup();
  });
});
