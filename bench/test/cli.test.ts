import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { skippedBackends } from "perdure-servers/skipped";
import { describe, expect, it } from "vitest";
import type { Report } from "../src/report/report.ts";
import { type Row, units } from "../src/report/row.ts";

const main = join(import.meta.dirname, "../src/main.ts");
const TIME_LIMIT_MS = 300_000;

const servers = ["postgres", "mysql", "redis"].filter((name) => !skippedBackends().includes(name));
const embedded = ["sqlite", "file"];
const backends = ["memory", ...embedded, ...servers];

function bench(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return promisify(execFile)(process.execPath, ["--conditions=@perdure/source", main, ...args]);
}

async function report(...args: readonly string[]): Promise<Report & { readonly stdout: string }> {
  const folder = await mkdtemp(join(tmpdir(), "perdure-bench-test-"));
  try {
    const json = join(folder, "rows.json");
    const { stdout } = await bench(...args, "--json", json);
    return { ...(JSON.parse(await readFile(json, "utf8")) as Report), stdout };
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the benchmark", () => {
  it(
    "measures every figure of every workload on every backend but one that is not ready",
    { timeout: TIME_LIMIT_MS },
    async () => {
      const {
        rows,
        notApplicable,
        stdout,
        servers: described,
        ...machine
      } = await report("--backends", backends.join(","), "--repeat", "1", "--scale", "0.01", "--quick");

      expect(machine).toMatchObject({ node: process.versions.node, cpu: expect.any(String), date: expect.any(String) });
      expect(machine.versions).toMatchObject({
        "@perdure/core": expect.any(String),
        "better-sqlite3": expect.any(String),
      });
      expect(described.map(({ backend }) => backend)).toEqual(servers);
      for (const { product, settings } of described) {
        expect(product).toMatch(/^\w+ \d+(\.\d+)+$/);
        expect(settings).toMatchObject(durabilityOf[product.split(" ")[0]!]!);
      }
      for (const row of rows) expect(row).toSatisfy(isWellFormed);
      for (const backend of backends) {
        expect(figuresOf(rows, backend, "W1")).toEqual(
          expect.arrayContaining(["runs_per_second", "starts_per_second"]),
        );
        expect(figuresOf(rows, backend, "W1")).toEqual(
          expect.arrayContaining(["statements_per_run", "commits_per_run"]),
        );
        expect(figuresOf(rows, backend, "W1")).toEqual(expect.arrayContaining(["worker_cpu_ms_per_run", "rss_mb"]));
        expect(figuresOf(rows, backend, "W2")).toEqual(["p50_ms", "p99_ms"]);
        expect(figuresOf(rows, backend, "W4")).toEqual(
          expect.arrayContaining(["us_per_activity", "us_per_activity_last_100", "replay_ms", "rss_mb"]),
        );
        expect(figuresOf(rows, backend, "W3")).toEqual(["fan_ms", "p50_ms"]);
        expect(figuresOf(rows, backend, "W6")).toEqual(["late_p50_ms", "late_p99_ms"]);
        expect(ratiosOf(rows, backend, "W7").map(({ list }) => list)).toEqual([undefined, "newest", "all"]);
        for (const { finished, parked, of } of ratiosOf(rows, backend, "W7"))
          expect({ finished, parked, of }).toEqual({ finished: 1000, parked: 100, of: "empty store" });
        expect(figuresOf(rows, backend, "W8")).toEqual(["statements_per_second", "cpu_percent"]);
        expect(new Set(rowsOf(rows, backend, "W1").map(({ settings }) => settings["concurrency"]))).toEqual(
          new Set([32, 100]),
        );
      }
      for (const backend of [...embedded, ...servers]) {
        expect(figuresOf(rows, backend, "W1")).toEqual(expect.arrayContaining(["floor_runs_per_second", "ratio"]));
        expect(ratiosOf(rows, backend, "W5").map(({ processes }) => processes)).toEqual([2, 4]);
      }
      const lines = stdout.split("\n").filter((line) => backends.includes(line.split(" ")[0]!));
      expect(lines).toHaveLength(rows.length + 1);

      // What a backend cannot do is said, and not measured.
      expect(rowsOf(rows, "memory", "W5")).toEqual([]);
      expect(notApplicable).toEqual([
        { backend: "memory", workload: "W5", reason: expect.stringContaining("one process") },
      ]);
      expect(stdout).toMatch(/^memory +W5 +not applicable/m);
    },
  );

  it("measures only what it is asked for", { timeout: TIME_LIMIT_MS }, async () => {
    const { rows } = await report(
      "--backends",
      "memory",
      "--workloads",
      "W2",
      "--repeat",
      "2",
      "--scale",
      "0.01",
      "--quick",
    );
    expect(rows.map(({ backend, workload, n }) => [backend, workload, n])).toEqual([
      ["memory", "W2", 2],
      ["memory", "W2", 2],
    ]);
  });

  it("ends with code 2 and says what would be right, when an option is wrong", { timeout: TIME_LIMIT_MS }, async () => {
    await expect(bench("--backends", "memory,oracle")).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'There is no backend "oracle". Choose from: memory, sqlite, file, postgres, mysql, redis, cosmos.',
      ),
    });
  });
});

/** An idle worker may have had nothing to ask, and a server's processor time is told in steps of 10 ms. */
const MAY_BE_NONE: ReadonlySet<string> = new Set(["statements_per_second", "server_cpu_ms_per_run"]);

/** What decides about durability is told, whatever it is. */
const durabilityOf: Readonly<Record<string, object>> = {
  MariaDB: { innodb_flush_log_at_trx_commit: expect.any(String), log_bin: expect.any(String) },
  MySQL: { innodb_flush_log_at_trx_commit: expect.any(String), log_bin: expect.any(String) },
  Redis: { appendonly: expect.any(String), appendfsync: expect.any(String) },
  PostgreSQL: { fsync: expect.any(String), synchronous_commit: expect.any(String) },
};

function isWellFormed(row: Row): boolean {
  const { engine, backend, workload, figure, unit, median, min, max, n, settings } = row;
  return (
    Object.keys(row).length === 10 &&
    engine === "perdure" &&
    backends.includes(backend) &&
    /^W\d$/.test(workload) &&
    unit === units[figure] &&
    [median, min, max].every((value) => Number.isFinite(value) && (value > 0 || MAY_BE_NONE.has(figure))) &&
    min <= median &&
    median <= max &&
    n === 1 &&
    settings["durability"] === (backend === "memory" ? "memory" : "fsync") &&
    (settings["processes"] === 1 || workload === "W5") &&
    typeof settings["concurrency"] === "number"
  );
}

function rowsOf(rows: readonly Row[], backend: string, workload: string): readonly Row[] {
  return rows.filter((row) => row.backend === backend && row.workload === workload);
}

function ratiosOf(rows: readonly Row[], backend: string, workload: string): readonly Row["settings"][] {
  return rowsOf(rows, backend, workload)
    .filter(({ figure }) => figure === "ratio")
    .map(({ settings }) => settings);
}

function figuresOf(rows: readonly Row[], backend: string, workload: string): readonly string[] {
  return rowsOf(rows, backend, workload).map(({ figure }) => figure);
}
