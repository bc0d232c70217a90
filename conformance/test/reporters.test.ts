import { expect, it } from "vitest";
import { type CaseReport, type ConformanceReport, isPass } from "../src/report.ts";
import { junit } from "../src/reporters/junit.ts";
import { markdown } from "../src/reporters/markdown.ts";
import { matrix } from "../src/reporters/matrix.ts";
import { summary } from "../src/reporters/summary.ts";

const failed: CaseReport = {
  id: "payload.nul",
  level: "L1",
  invariants: ["I23"],
  status: "failed",
  ms: 1_500,
  message: 'It should be so: "a\u0000b" comes back.\n  expected   <a & b>\n  actual     \ud800',
};

const passed: CaseReport = { ...failed, id: "create.new", status: "passed", ms: 500 };

const report: ConformanceReport = {
  schema: 1,
  suite: "@perdure/conformance 1.0.0",
  backend: "mine",
  store: "Mine 1.0",
  runtime: "node v24.0.0",
  capabilities: {
    clock: { kind: "shared" },
    processes: "one",
    durability: "memory",
    wakeups: "none",
    transactions: [],
    listing: "strong",
  },
  seed: 7,
  ms: 2_600,
  cases: [passed, { ...failed, message: failed.message! }, { ...passed, id: "tx.deliver", status: "not-applicable" }],
  guards: { "stale-hold-refused": 0, "stale-park-refused": 3 },
};

it("writes XML that holds any message, counts a guard that never fired as a failure", () => {
  const xml = junit([report]);
  expect(xml).toContain('<testsuite name="conformance of mine" tests="4" failures="2" skipped="1" time="2.5">');
  expect(xml).toContain('<property name="store" value="Mine 1.0"/>');
  expect(xml).toContain('<testcase classname="mine.L1" name="create.new" time="0.5"/>');
  expect(xml).toContain("&quot;a\ufffdb&quot; comes back.");
  expect(xml).toContain("&lt;a &amp; b&gt;&#10;  actual     \ufffd");
  expect(xml).toContain('<testcase classname="mine.guards" name="stale-hold-refused" time="0"><failure');
  expect(xml).not.toContain("stale-park-refused");
});

it("writes pages that hold any name and any message", () => {
  const name = "a | b\n<c>";
  const page = markdown([{ ...report, backend: name, cases: [{ ...failed, message: "code:\n```ts\n````" }] }]);
  expect(page).toContain("| a \\| b &lt;c&gt; | Mine 1.0 |");
  expect(page).toContain("\n## a | b &lt;c&gt;\n");
  expect(page).toContain("\n`````text\ncode:\n```ts\n````\n`````\n");
});

it("tells of problems outside of cases everywhere, and takes none of them for a pass", () => {
  const troubled = { ...report, cases: [passed], guards: {}, problems: ["`end` fails."] };
  expect(isPass({ ...troubled, problems: [] })).toBe(true);
  expect(isPass(troubled)).toBe(false);
  expect(summary([troubled])).toContain("mine: `end` fails.\nThis is not a pass.");
  expect(markdown([troubled])).toContain("Beside the cases: `end` fails.");
  const xml = junit([troubled]);
  expect(xml).toContain('tests="2" failures="1"');
  expect(xml).toContain(
    '<testcase classname="mine.problems" name="beside the cases" time="0"><failure message="`end` fails."',
  );
});

it("says that a part is a part", () => {
  const part = { ...report, cases: [passed], guards: {}, partial: true } as const;
  expect(matrix([part])).toContain("| in part |");
  expect(matrix([{ ...part, cases: [failed] }])).toContain("| no |");
  expect(summary([part])).toContain("Every applicable case of this part passed.");
});

it("writes a page with the table, every failure whole, and the silent guards", () => {
  const page = markdown([report]);
  expect(page).toContain("| mine | Mine 1.0 | 1/2 (1 n/a) | – | – | – | – | no | memory | node v24.0.0 | 7 |");
  expect(page).toContain(`### payload.nul\n\n\`\`\`text\n${failed.message}\n\`\`\``);
  expect(page).toContain("Guards that never fired, so nothing is proved: stale-hold-refused.");
});
