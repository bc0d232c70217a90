import type { Topic } from "@perdure/core/storage";
import { readTopics, writeTopics } from "@perdure/storage-sql";
import { describe, expect, test } from "vitest";
import { Listeners } from "../src/listeners.ts";
import { topicCode } from "../src/topics.ts";

const main: Topic = { of: "queue", queue: "main" };
const end: Topic = { of: "closed", runId: "run" };

describe("listeners", () => {
  test("are told what they wait for, once, and later than the call", async () => {
    const listeners = new Listeners();
    const heard: Topic[] = [];
    const subscription = listeners.add((topic) => heard.push(topic));
    subscription.add(main);
    subscription.add({ ...main });
    subscription.add(end);
    listeners.hear([topicCode("queue", "main"), topicCode("queue", "other")]);
    listeners.hear([topicCode("queue", "main"), topicCode("inbox", "run")]);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([main]);
  });

  test("are told everything that they wait for when it may have been anything", async () => {
    const listeners = new Listeners();
    const heard: Topic[] = [];
    const subscription = listeners.add((topic) => heard.push(topic));
    subscription.add(main);
    subscription.add(end);
    listeners.hear([topicCode("queue", "else")]);
    listeners.hear(undefined);
    await Promise.resolve();
    expect(heard).toEqual([main, end]);
  });

  test("hear nothing of what they gave up, nor after they closed; one that throws disturbs no other", async () => {
    const listeners = new Listeners();
    const heard: Topic[] = [];
    listeners
      .add(() => {
        throw new Error("mine");
      })
      .add(main);
    const subscription = listeners.add((topic) => heard.push(topic));
    subscription.add(main);
    subscription.add(end);
    subscription.delete(end);
    listeners.hear(undefined);
    await Promise.resolve();
    expect(heard).toEqual([main]);
    await subscription.close();
    listeners.hear(undefined);
    await Promise.resolve();
    expect(heard).toHaveLength(1);
  });
});

describe("topics", () => {
  test("travel as text; too many are anything", () => {
    const codes = new Set([topicCode("queue", "main"), topicCode("closed", "run"), topicCode("inbox", "run")]);
    expect(codes.size).toBe(3);
    expect(new Set(readTopics(writeTopics(codes, 1000)))).toEqual(codes);
    expect(readTopics(writeTopics(codes, 10))).toBeUndefined();
    expect(readTopics("")).toEqual([]);
  });
});
