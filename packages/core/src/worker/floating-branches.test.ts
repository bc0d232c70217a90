import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../test/floating-branch.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function play(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

describe("a branch of workflow code that nobody awaits", () => {
  it("is logged when the engine throws into it, and neither the process nor the run suffers; nothing is left (I28)", async () => {
    const { code, out, err } = await play("engine");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toEqual({
      status: "cancelled",
      codes: ["attempt-failed", "floating-branch", "floating-branch"],
      listeners: 0,
    });
  });

  it("ends the process, as without a worker, when the user's own code throws", async () => {
    const { code, out, err } = await play("user");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/RangeError: mine/u);
  });
});
