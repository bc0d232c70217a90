import { memory } from "@perdure/core/memory";
import { expect, test } from "vitest";
import { Journal } from "../src/journal.ts";

test("a driver's object that is passed as a transaction is not printed: it may know a password", async () => {
  const journal = new Journal();
  const client = journal.record("client1", memory());
  const driver = { config: { user: "ada", password: "s3cret" } };
  await client.deliver([], { tx: driver }).catch(() => {});
  await client.deliver([], { tx: 7 }).catch(() => {});
  await client.deliver([]);
  const calls = journal.print().match(/^await .*?(?=;)/gmu);
  expect(calls).toEqual([
    "await client1.deliver([], { tx: tx })",
    "await client1.deliver([], { tx: 7 })",
    "await client1.deliver([])",
  ]);
  expect(journal.print()).not.toContain("s3cret");
});

test("what a backend throws is printed, also if that is nothing", async () => {
  const journal = new Journal();
  const threw = (): never => {
    throw undefined;
  };
  const client = journal.record("client1", { ...memory(), getRun: threw, now: () => new Promise(() => {}) });
  await client.getRun("r").catch(() => {});
  void client.now();
  expect(journal.print()).toBe("await client1.getRun('r'); // threw undefined\nawait client1.now(); // no answer yet");
});
