import { describe, expect, it } from "vitest";
import { step } from "./step.ts";
import { toDot } from "./to-dot.ts";
import { toMermaid } from "./to-mermaid.ts";
import { workflow } from "./workflow.ts";

const HOSTILE: readonly (readonly [name: string, mermaid: string, dot: string])[] = [
  ["generate-quiz", "generate-quiz", "generate-quiz"],
  ['say "hi"', "say #34;hi#34;", String.raw`say \"hi\"`],
  ["a[b](c){d}<e>|f", "a#91;b#93;#40;c#41;#123;d#125;#60;e#62;#124;f", "a[b](c){d}<e>|f"],
  ["one\ntwo\r\nthree", "one<br/>two<br/>three", String.raw`one\ntwo\nthree`],
  [String.raw`back\slash\N`, "back#92;slash#92;N", String.raw`back\\slash\\N`],
  [String.raw`ends with \"`, "ends with #92;#34;", String.raw`ends with \\\"`],
  ["`**markdown**`", "#96;#42;#42;markdown#42;#42;#96;", "`**markdown**`"],
  ["1. list", "1#46; list", "1. list"],
  ["- list", "#45; list", "- list"],
  ["%%{init: 1}%%", "#37;#37;#123;init#58; 1#125;#37;#37;", "%%{init: 1}%%"],
  ["#35; &amp;", "#35;35#59; #38;amp#59;", "#35; &amp;"],
  ["Prüfung 試験 👩‍🏫", "Prüfung 試験 👩‍🏫", "Prüfung 試験 👩‍🏫"],
  ["bell\u0007tab\t", "bell#7;tab#9;", "bell tab "],
];

/** Start, the step, end. */
function graphWith(name: string): ReturnType<ReturnType<typeof workflow>["graph"]> {
  return workflow({ name: "w", steps: [step(name, async () => {})] }).graph();
}

describe("toMermaid", () => {
  it("draws a flowchart whose ids are its own: names such as end are reserved", () => {
    expect(toMermaid(graphWith("end"))).toBe(
      ["flowchart TD", '  n0(["start"])', '  n1["end"]', '  n2(["end"])', "  n0 --> n1", "  n1 --> n2", ""].join("\n"),
    );
  });

  it.each(HOSTILE)("shows %j as it is", (name, mermaid) => {
    const [, , line, ...rest] = toMermaid(graphWith(name)).split("\n");
    expect(line).toBe(`  n1["${mermaid}"]`);
    expect(rest).toHaveLength(4);
  });
});

describe("toDot", () => {
  it("draws a digraph", () => {
    expect(toDot(graphWith("quiz"))).toBe(
      [
        "digraph {",
        "  node [fontname=sans];",
        '  "start" [label="start", shape=oval];',
        '  "step:quiz" [label="quiz", shape=box];',
        '  "end" [label="end", shape=oval];',
        '  "start" -> "step:quiz";',
        '  "step:quiz" -> "end";',
        "}",
        "",
      ].join("\n"),
    );
  });

  it.each(HOSTILE)("shows %j as it is", (name, _, dot) => {
    const lines = toDot(graphWith(name)).split("\n");
    expect(lines[3]).toBe(`  "step:${dot}" [label="${dot}", shape=box];`);
    expect(lines).toHaveLength(9);
  });
});
