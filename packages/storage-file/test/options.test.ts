import { describe, expect, it } from "vitest";
import { file, type FileOptions } from "../src/index.ts";

describe("options", () => {
  it.each([
    ["no path", "", "path"],
    ["a path with NUL", "a\0b", "path"],
    ["an unknown option", { path: "x", sync: true } as FileOptions, 'no option "sync". Its options are path,'],
    ["a wrong synchronous", { path: "x", synchronous: "normal" } as unknown as FileOptions, "full or off"],
    ["a wrong migrate", { path: "x", migrate: "yes" } as unknown as FileOptions, "auto or check"],
    ["a negative busyTimeout", { path: "x", busyTimeout: -1 }, "busyTimeout must be a number of milliseconds"],
    ["an endless busyTimeout", { path: "x", busyTimeout: Infinity }, "busyTimeout"],
    ["a negative compactAbove", { path: "x", compactAbove: -1 }, "compactAbove must be a number of bytes"],
    ["a clock without now", { path: "x", clock: {} } as unknown as FileOptions, "clock must be an object with now()"],
    ["an empty namespace", { path: "x", namespace: "" }, "namespace"],
    ["nothing", undefined as unknown as string, "path"],
  ])("refuses %s, and says what would be right", (_, options, says) => {
    expect(() => file(options)).toThrow(says);
    expect(() => file(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("undefined is the default", () => {
    const options: FileOptions = { path: "x", namespace: undefined, synchronous: undefined } as unknown as FileOptions;
    expect(file(options).info.capabilities.durability).toBe("fsync");
  });

  it("declares what a store without syncs may lose", () => {
    expect(file({ path: "x", synchronous: "off" }).info.capabilities.durability).toBe("bounded-loss");
  });
});
