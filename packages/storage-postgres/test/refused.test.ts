import { postgres } from "@perdure/storage-postgres";
import { expect, onTestFinished, test } from "vitest";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { letCreate, newSchema, newUser, query, url } from "./scratch.ts";

test("a database that is missing is misconfigured", async () => {
  const missing = new URL(url);
  missing.pathname = "perdure_no_such_database";
  const failure = await failureOf(postgres(missing.href));
  expect(failure).toMatchObject({ code: "misconfigured", details: { code: "3D000" } });
});

test("a server without a connection left is unavailable, until it has one", async () => {
  const own = await newUser();
  await letCreate(own);
  const { username } = new URL(own);
  await query(`alter role ${username} connection limit 0`);
  const storage = postgres({ url: own, schema: newSchema() });
  onTestFinished(() => storage.close());
  await expect(storage.setup()).rejects.toMatchObject({ code: "unavailable", details: { code: "53300" } });
  await query(`alter role ${username} connection limit -1`);
  await storage.setup();
});

test("a server that does not speak in secret is misconfigured for who wants that", async () => {
  const { hostname, port, username: user } = new URL(url);
  const pool = { host: hostname, port: Number(port), user, database: "postgres", ssl: true };
  const failure = await failureOf(postgres({ pool }));
  expect(failure).toMatchObject({ code: "misconfigured" });
  expect(failure.message).toContain("Correct the option ssl");
});
