import { describe, expect, it } from "vitest";
import { createJsonCodec } from "../index.ts";
import { step } from "./step.ts";
import { workflow } from "./workflow.ts";

const nothing = async (): Promise<void> => {};

describe("workflow with steps", () => {
  const refusals: readonly (readonly [what: string, define: () => unknown, message: RegExp])[] = [
    ["no steps", () => workflow({ name: "w", steps: [] }), /steps of workflow "w" must be a list with at least one/],
    ["no list", () => workflow({ name: "w", steps: (() => {}) as never }), /must be a list with at least one/],
    [
      "a name that stands twice",
      () => workflow({ name: "w", steps: [step("a", nothing), step("b", nothing), step("a", nothing)] }),
      /Two steps of workflow "w" are named "a"/,
    ],
    ["what is no step", () => workflow({ name: "w", steps: [nothing as never] }), /something among its steps that is/],
    [
      "a function too",
      () => workflow({ name: "w", steps: [step("a", nothing)] } as never, nothing),
      /has both steps and a function/,
    ],
    ["neither", () => workflow({ name: "w" } as never), /has no code/],
    [
      "a schema as output",
      () =>
        workflow({
          name: "w",
          steps: [step("a", nothing)],
          output: Object.assign(() => 1, { "~standard": { version: 1, vendor: "v", validate: () => ({ value: 1 }) } }),
        }),
      /so its output must be a function/,
    ],
    ["a step with a bad name", () => step("", nothing), /name of a step must be/],
    ["a step without code", () => step("a", undefined as never), /Step "a" needs a function/],
  ];
  it.each(refusals)("refuses %s", (_, define, message) => {
    expect(define).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: expect.stringMatching(message) as unknown,
      }),
    );
    expect(define).toThrow(/\. [A-Z]/u);
  });

  it("keeps its own list", () => {
    const steps = [step("a", nothing)];
    const definition = workflow({ name: "w", steps });
    steps.push(step("b", nothing));
    expect(definition.steps.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("graph", () => {
  it("goes from start to end through the steps, as plain JSON", () => {
    const graph = workflow({
      name: "w",
      steps: (make) => [make("start", nothing), make("end", nothing)],
    }).graph();
    expect(graph).toEqual({
      nodes: [
        { id: "start", name: "start", kind: "start" },
        { id: "step:start", name: "start", kind: "step" },
        { id: "step:end", name: "end", kind: "step" },
        { id: "end", name: "end", kind: "end" },
      ],
      edges: [
        { from: "start", to: "step:start" },
        { from: "step:start", to: "step:end" },
        { from: "step:end", to: "end" },
      ],
    });
    expect(JSON.parse(createJsonCodec().encode(graph))).toEqual(graph);
  });

  it("of a workflow without steps has one node between", () => {
    const { nodes, edges } = workflow({ name: "w" }, nothing).graph();
    expect(nodes.map(({ name }) => name)).toEqual(["start", "run", "end"]);
    expect(edges).toHaveLength(2);
  });
});
