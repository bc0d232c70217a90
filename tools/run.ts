import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./workspaces.ts";

export interface Outcome {
  readonly ok: boolean;
  /** What it wrote, standard output and error as they came. */
  readonly output: string;
}

/** Runs a command line, for example `oxlint --deny-warnings`, with the tools of the repository on PATH. Never rejects. */
export function run(commandLine: string, folder = "."): Promise<Outcome> {
  const path = `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`;
  const [command = "", ...args] = commandLine.split(" ");
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: join(root, folder), env: { ...process.env, PATH: path } });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    child.stderr.on("data", (chunk) => (output += String(chunk)));
    child.on("error", (error) => resolve({ ok: false, output: `${commandLine}: ${error.message}\n` }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}
