import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { writePrograms } from "./programs.ts";

const written = writePrograms(["docs/getting-started.md"]);
const cwd = mkdtempSync(join(tmpdir(), "perdure-getting-started-"));
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});
afterAll(() => {
  written.remove();
  rmSync(cwd, { recursive: true, force: true });
});

interface Terminal {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  output: string;
}

/** Runs one of the page's files, as its reader does in a terminal. */
function run(name: string): Terminal {
  const { file } = written.programs.find((program) => program.name === name)!;
  const child = spawn(process.execPath, ["--conditions=@perdure/source", file], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  const terminal: Terminal = { child, ended: once(child, "close"), output: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (terminal.output += String(chunk)));
  return terminal;
}

it("happens as the page says", { timeout: 60_000 }, async () => {
  const packing = /^worker (\d+)\npacking 5 items, attempt 1\n$/;
  const first = run("worker.ts");
  const start = run("start.ts");
  await vi.waitFor(() => expect(first.output).toMatch(packing), { timeout: 10_000 });
  const pid = Number(packing.exec(first.output)![1]);
  expect(pid).toBe(first.child.pid);
  process.kill(pid, "SIGKILL");
  expect(await first.ended).toEqual([null, "SIGKILL"]);

  const second = run("worker.ts");
  expect(await start.ended).toEqual([0, null]);
  expect(start.output).toBe("600 g, approved by ada\n");
  expect(second.output).toMatch(packing);
  second.child.kill("SIGINT");
  expect(await second.ended).toEqual([0, null]);
});
