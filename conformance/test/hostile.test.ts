import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConformanceReport, isPass } from "../src/report.ts";

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const SUBJECT = fileURLToPath(new URL("hostile.ts", import.meta.url));
/** One case, which delivers. */
const CASES = ["--level", "L1", "--grep", "inbox.order-and-numbers"];

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "perdure-hostile-"))));
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function start(hostility: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, HOSTILE: hostility };
  return spawn(process.execPath, ["--conditions=@perdure/source", CLI, SUBJECT, ...args], { env, cwd: folder });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let said = "";
  for (const output of [child.stdout!, child.stderr!]) output.on("data", (text: Buffer) => (said += String(text)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

function run(hostility: string, ...args: readonly string[]): Promise<Ended> {
  return ended(start(hostility, args.length === 0 ? CASES : args));
}

describe("the command", { timeout: 60_000 }, () => {
  it("does not pass when a backend ends its process, and says what it was at", async () => {
    const within = await run("exits");
    expect(within.code).toBe(1);
    expect(within.said).toContain("The process was ended with code 0 during inbox.order-and-numbers");
    const before = await run("exits at import");
    expect(before.code).toBe(1);
    expect(before.said).toContain("during the import of ");
  });

  it("fails the case at hand for an error that nobody catches, and goes on", async () => {
    for (const [hostility, message] of [
      ["throws in the background", "thrown in the background"],
      ["leaves a rejection alone", "nobody awaits this"],
    ] as const) {
      const { code, said } = await run(hostility, "--level", "L1", "--grep", "inbox.order-and");
      expect(code).toBe(1);
      expect(said).toContain(`no error is left to nobody, as this one is: Error: ${message}`);
      expect(said).toContain("[inbox.order-and-numbers]");
      expect(said).toContain("This is not a pass.");
    }
  });

  it("fails one case for what is thrown and is not even text", async () => {
    const { code, said } = await run("throws what is no text");
    expect(code).toBe(1);
    expect(said).toContain("The case threw: [Object: null prototype] {}");
  });

  it("says what an answer should have been, and which members are missing", async () => {
    for (const [hostility, sentence] of [
      ["answers nothing", "deliver answers with a list, one answer for each of its 3 elements"],
      ["opens nothing", "`open` answers with a StorageBackend"],
      ["lacks a verb", "`open` answers with every verb of StorageBackend"],
      ["lacks info", "`info` has name, contract, capabilities and limits after `setup()`"],
    ] as const) {
      const { code, said } = await run(hostility);
      expect(code).toBe(1);
      expect(said).toContain(sentence);
    }
  });

  it("writes its report whatever the subject does in the end", async () => {
    for (const hostility of ["cannot end", "has no version"]) {
      const file = join(folder, "report.json");
      const { code, said } = await run(hostility, ...CASES, "--json", file);
      const report = JSON.parse(await readFile(file, "utf8")) as ConformanceReport;
      expect(report.cases).toMatchObject([{ status: "passed" }]);
      if (hostility === "has no version") continue;
      expect(code).toBe(1);
      expect(isPass(report)).toBe(false);
      expect(said).toContain("`end` of the subject fails: Error: cannot end");
    }
  });

  it("ends at Ctrl-C: what has been opened is closed, and nothing is called a pass", async () => {
    for (const [signal, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const child = start("waits", CASES);
      child.stdout!.once("data", () => child.kill(signal));
      const { code, said } = await ended(child);
      expect(code).toBe(expected);
      expect(said).toContain(`Interrupted by ${signal}`);
      expect(said).toContain("waiting");
      expect(said).not.toContain("passed");
    }
  });
});
