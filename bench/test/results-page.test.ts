import { expect, it } from "vitest";
import type { Report } from "../src/report/report.ts";
import { resultsPage } from "../src/report/results-page.ts";

const row = { engine: "perdure", workload: "W1", figure: "ratio", unit: "", n: 3, min: 0.4, max: 0.6 } as const;

function reportOf(backend: string, median: number): Report {
  const settings = { durability: "fsync", concurrency: 32 };
  return {
    date: "2026-11-21T12:00:00.000Z",
    command: "npm run bench --",
    node: "24.21.0",
    platform: "linux 6.1 x64",
    cpu: "A processor",
    cores: 2,
    load: 0.25,
    versions: { pg: "8.23.1" },
    fdatasyncUs: 121.6,
    servers: [{ backend, product: `Server of ${backend}`, settings: { fsync: "on", synchronous_commit: "off" } }],
    rows: [{ ...row, backend, median, settings }],
    notApplicable: [],
  };
}

it("the page of results says in which servers the stores were, and how those were set", () => {
  const page = resultsPage("", reportOf("postgres", 0.5));
  expect(page).toContain(`
- Node 24.21.0; pg 8.23.1
- postgres: Server of postgres; fsync=on synchronous_commit=off

| backend |`);
  expect(page).toContain("| postgres | W1 | ratio | 0.500 | 0.400 | 0.600 | 3 |  | durability=fsync concurrency=32 |");
});

it("a report takes the place of the one of the same backends, and leaves others as they are", () => {
  const first = resultsPage(resultsPage("", reportOf("sqlite", 0.1)), reportOf("postgres", 0.2));
  expect(first.match(/^## .*$/gm)).toEqual(["## sqlite", "## postgres"]);
  const second = resultsPage(first, reportOf("sqlite", 0.3));
  expect(second).toBe(first.replace("0.100", "0.300"));
});
