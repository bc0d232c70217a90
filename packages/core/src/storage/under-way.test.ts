import { describe, expect, it } from "vitest";
import { UnderWay } from "./under-way.ts";

describe("UnderWay", () => {
  it("answers and throws what the verb does", async () => {
    const underWay = new UnderWay();
    expect(await underWay.during(async () => 1)).toBe(1);
    await expect(underWay.during(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await underWay.none();
  });

  it("waits for the last one, however the others end (I28)", async () => {
    const underWay = new UnderWay();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const verbs = [first, second].map(({ promise }) => underWay.during(() => promise).catch(() => {}));
    let isOver = false;
    const none = underWay.none().then(() => (isOver = true));
    first.reject(new Error("no"));
    await verbs[0];
    expect(isOver).toBe(false);
    second.resolve();
    await none;
  });
});
