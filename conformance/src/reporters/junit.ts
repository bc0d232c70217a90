import type { CaseReport, ConformanceReport } from "../report.ts";
import { silentGuards } from "../report.ts";
import { count } from "./summary.ts";

/** Reports in the XML that build servers read: a suite for each backend, a test for each case. Times are seconds. */
export function junit(reports: readonly ConformanceReport[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, reports.map(suite))}\n`;
}

function suite(report: ConformanceReport): string {
  const silent = silentGuards(report);
  const cases = report.cases.map((one) => testCase(report.backend, one));
  const guards = silent.map((name) =>
    failedBeside(`${report.backend}.guards`, name, "This guard never fired, so nothing is proved."),
  );
  const problems = (report.problems ?? []).map((problem) =>
    failedBeside(`${report.backend}.problems`, "beside the cases", problem),
  );
  const attributes = {
    name: `conformance of ${report.backend}`,
    tests: cases.length + guards.length + problems.length,
    failures: count(report, "failed") + guards.length + problems.length,
    skipped: count(report, "not-applicable"),
    time: report.cases.reduce((sum, { ms }) => sum + ms, 0) / 1000,
  };
  const properties = { suite: report.suite, store: report.store ?? "", runtime: report.runtime, seed: report.seed };
  const described = Object.entries(properties).map(([name, value]) => element("property", { name, value }, []));
  return element("testsuite", attributes, [element("properties", {}, described), ...cases, ...guards, ...problems]);
}

/** What failed and is no case. */
function failedBeside(classname: string, name: string, message: string): string {
  return element("testcase", { classname, name, time: 0 }, [element("failure", { message }, [])]);
}

function testCase(backend: string, { id, level, status, ms, message = "" }: CaseReport): string {
  const [first = ""] = message.split("\n", 1);
  const attributes = { classname: `${backend}.${level}`, name: id, time: ms / 1000 };
  if (status === "failed") {
    return element("testcase", attributes, [element("failure", { message: first }, [escape(message)])]);
  }
  if (status === "not-applicable") {
    return element("testcase", attributes, [element("skipped", { message: first }, [])]);
  }
  return element("testcase", attributes, []);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[],
): string {
  const tag = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escape(String(value))}"`)].join(
    " ",
  );
  return children.length === 0 ? `<${tag}/>` : `<${tag}>${children.join("\n")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Characters that XML cannot hold at all become U+FFFD. */
function escape(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- these are what XML forbids
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/gu, "\uFFFD")
      .replaceAll(/[&<>"]/gu, (character) => ENTITIES[character]!)
      .replaceAll("\n", "&#10;")
  );
}
