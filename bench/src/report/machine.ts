import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

/** Where and with what the numbers were measured. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** Processes that wanted a core in the last minute: more than none, and the numbers suffered. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Microseconds of one append with fdatasync where the stores lie: most of what a lone commit costs. */
  readonly fdatasyncUs: number;
}

/** What decides how fast it is, of ours and of others. */
const PACKAGES = ["@perdure/core", "better-sqlite3", "ioredis", "mysql2", "pg"] as const;

export function machine(): Machine {
  const processors = cpus();
  return {
    node: process.versions.node,
    platform: `${process.platform} ${release()} ${process.arch}`,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    load: loadavg()[0]!,
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    fdatasyncUs: measureFdatasync(),
  };
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) return "unknown";
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

function measureFdatasync(): number {
  const folder = mkdtempSync(join(tmpdir(), "perdure-bench-"));
  const file = openSync(join(folder, "log"), "a");
  const times = Array.from({ length: 50 }, () => {
    const from = performance.now();
    writeSync(file, "x".repeat(200));
    fdatasyncSync(file);
    return (performance.now() - from) * 1000;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}
