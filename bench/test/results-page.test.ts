import { expect, it } from "vitest";
import { resultsPage } from "../src/report/results-page.ts";

it("the page of results says in which servers the stores were, and how those were set", () => {
  const settings = { durability: "fsync", concurrency: 32 };
  const row = { engine: "perdure", backend: "postgres", workload: "W1", figure: "ratio", unit: "", n: 3 } as const;
  const page = resultsPage({
    date: "2026-11-21T12:00:00.000Z",
    command: "npm run bench --",
    node: "24.21.0",
    platform: "linux 6.1 x64",
    cpu: "A processor",
    cores: 2,
    load: 0.25,
    versions: { pg: "8.23.1" },
    fdatasyncUs: 121.6,
    servers: [
      { backend: "postgres", product: "PostgreSQL 15.20", settings: { fsync: "on", synchronous_commit: "off" } },
    ],
    rows: [{ ...row, median: 0.5, min: 0.4, max: 0.6, settings }],
    notApplicable: [],
  });
  expect(page).toContain(`
- Node 24.21.0; pg 8.23.1
- postgres: PostgreSQL 15.20; fsync=on synchronous_commit=off

| backend |`);
  expect(page).toContain("| postgres | W1 | ratio | 0.500 | 0.400 | 0.600 | 3 |  | durability=fsync concurrency=32 |");
});
