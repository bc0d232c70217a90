import type { Random } from "../random.ts";
import type { Program, Step } from "./program.ts";

type Draw = (depth: number) => Step;

/** Draws programs. */
export class Programmer {
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  program(depth: number, length: number): Program {
    return this.#steps(depth, length, true);
  }

  /** A name that no other step has. */
  name(): string {
    return `n${this.#names++}`;
  }

  #steps(depth: number, length: number, mayContinue = false): Program {
    return Array.from({ length }, () =>
      mayContinue && this.#random.int(8) === 0 ? { do: "continue" } : this.#step(depth),
    );
  }

  #step(depth: number): Step {
    const draws = depth > 0 ? [...this.#simple, ...this.#nested, ...this.#nested] : this.#simple;
    return this.#random.pick(draws)(depth);
  }

  #work: Draw = () => ({
    do: "work",
    id: this.name(),
    value: this.#random.int(1_000),
    fails: Math.max(0, this.#random.int(5) - 2),
    ms: this.#random.pick([0, 0, 0, 100, 800, 4_000]),
    remote: this.#random.int(3) === 0,
  });

  readonly #simple: readonly Draw[] = [
    this.#work,
    this.#work,
    this.#work,
    this.#work,
    () => ({ do: "resume", id: this.name(), pages: 1 + this.#random.int(3) }),
    () => ({ do: "remember", key: this.#random.int(4) }),
    () => ({ do: "fail" }),
    () => ({ do: "hang" }),
    () => ({ do: "sleep", ms: this.#random.int(3_000) }),
    () => ({ do: "state", key: `k${this.#random.int(3)}`, value: this.#random.int(1_000) }),
    () => ({ do: "attributes", value: this.#random.int(1_000) }),
    () => ({ do: "effect", value: this.#random.int(1_000) }),
    () => ({ do: "draw" }),
    () => ({ do: "patched", id: `p${this.#random.int(3)}`, value: this.#random.int(1_000) }),
    () => ({
      do: "gather",
      name: this.name(),
      values: Array.from({ length: 1 + this.#random.int(3) }, () => this.#random.int(1_000)),
    }),
    () => ({ do: "hurry", names: [this.name(), this.name()], value: this.#random.int(1_000) }),
    () => ({ do: "self", name: this.name(), value: this.#random.int(1_000) }),
    () => ({ do: "impatient", ms: this.#random.int(2_000) }),
    () => ({ do: "race", ms: this.#random.int(1_000) }),
    () => ({ do: "any", ms: this.#random.int(1_000) }),
    () => ({ do: "told", name: this.name(), value: this.#random.int(1_000) }),
    () => ({ do: "dismiss" }),
  ];

  readonly #nested: readonly Draw[] = [
    (depth) => ({
      do: "all",
      branches: Array.from({ length: 2 + this.#random.int(2) }, () => this.#steps(depth - 1, 1 + this.#random.int(3))),
    }),
    (depth) => ({ do: "shield", program: this.#steps(depth - 1, 1 + this.#random.int(3)) }),
    (depth) => ({ do: "child", program: this.#childProgram(depth) }),
    (depth) => {
      const close = this.#random.pick(["abandon", "cancel", "terminate"] as const);
      const program = this.#childProgram(depth);
      return {
        do: "detach",
        id: this.name(),
        close,
        program: close === "abandon" ? program : [...program, { do: "forever" }],
      };
    },
  ];

  /** Clients do not know the ids of children: these send themselves what they wait for. */
  #childProgram(depth: number): Program {
    return this.#steps(depth - 1, 1 + this.#random.int(3), true).map((step) => this.#lonely(step));
  }

  #lonely(step: Step): Step {
    const all = (program: Program): Program => program.map((one) => this.#lonely(one));
    switch (step.do) {
      case "gather":
        return { do: "self", name: step.name, value: step.values[0]! };
      case "hurry":
        return { do: "self", name: step.names[0]!, value: step.value };
      case "all":
        return { ...step, branches: step.branches.map(all) };
      case "shield":
      case "child":
      case "detach":
        return { ...step, program: all(step.program) };
      default:
        return step;
    }
  }
}
