import { expect, test } from "vitest";
import { type Own, undisturbed } from "../src/server/undisturbed.ts";

class Client {
  readonly asked: string[] = [];

  async query(text: string): Promise<string> {
    this.asked.push(text);
    return `${text}!`;
  }
}

test("what others ask for meanwhile is asked afterwards, in order, and answered", async () => {
  const client = new Client();
  const work = Promise.withResolvers<string>();
  let own: Own | undefined;
  const done = undisturbed(client, "query", (given) => {
    own = given;
    return work.promise;
  });
  const others = Promise.all([client.query("one"), client.query("two")]);
  expect(await own!(() => client.query("own"))).toBe("own!");
  expect(client.asked).toEqual(["own"]);
  work.resolve("done");
  expect(await done).toBe("done");
  expect(await others).toEqual(["one!", "two!"]);
  expect(client.asked).toEqual(["own", "one", "two"]);
  expect(Object.keys(client)).toEqual(["asked"]);
});

test("two uses take turns, and so do the calls before, between and after them", async () => {
  const client = new Client();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const use = (work: Promise<void>, text: string) => async (own: Own) => {
    await work;
    await own(() => client.query(text));
  };
  const uses = [undisturbed(client, "query", use(first.promise, "first"))];
  const calls = [client.query("between")];
  uses.push(undisturbed(client, "query", use(second.promise, "second")));
  calls.push(client.query("after"));
  first.resolve();
  await uses[0];
  expect(await calls[0]).toBe("between!");
  expect(client.asked).toEqual(["first", "between"]);
  second.resolve();
  await Promise.all([...uses, ...calls]);
  expect(client.asked).toEqual(["first", "between", "second", "after"]);
  expect(Object.keys(client)).toEqual(["asked"]);
  expect(await client.query("later")).toBe("later!");
});

test("what fails lets the others go on, too", async () => {
  const client = new Client();
  const failing = undisturbed(client, "query", () => Promise.reject(new Error("no")));
  const other = client.query("one");
  await expect(failing).rejects.toThrow("no");
  expect(await other).toBe("one!");
});

test("who gives what is also the answer has it at once", async () => {
  const client = new Client();
  const work = Promise.withResolvers<void>();
  const done = undisturbed(
    client,
    "query",
    () => work.promise,
    (given) => given === "cursor",
  );
  expect(client.query("cursor")).toBe("cursor");
  expect(client.asked).toEqual([]);
  work.resolve();
  await done;
  expect(client.asked).toEqual(["cursor"]);
});

test("a method that somebody has put there stays, whether before or meanwhile", async () => {
  const client = new Client();
  const before = (client.query = async () => "before");
  await undisturbed(client, "query", async () => {});
  expect(client.query).toBe(before);
  const closed = async (): Promise<string> => "closed";
  await undisturbed(client, "query", async () => void (client.query = closed));
  expect(client.query).toBe(closed);
});
