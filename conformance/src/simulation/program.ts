/** One thing that a simulated workflow does. `id` names it among all of its program, children included. */
export type Step =
  /** Fails as often as said, then answers its value. `remote`: on a queue that only some workers serve. */
  | {
      readonly do: "work";
      readonly id: string;
      readonly value: number;
      readonly fails: number;
      readonly ms: number;
      readonly remote: boolean;
    }
  /** Its attempts count on from the newest checkpoint. */
  | { readonly do: "resume"; readonly id: string; readonly pages: number }
  /** Runs share its result. */
  | { readonly do: "remember"; readonly key: number }
  /** Fails at every attempt. */
  | { readonly do: "fail" }
  /** Never ends by itself: its time-out fails it. */
  | { readonly do: "hang" }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "state"; readonly key: string; readonly value: number }
  | { readonly do: "attributes"; readonly value: number }
  | { readonly do: "effect"; readonly value: number }
  /** Time, chance and a UUID, each in the name of a command: a replay that draws others differs from history. */
  | { readonly do: "draw" }
  | { readonly do: "patched"; readonly id: string; readonly value: number }
  /** Clients send the values, in this order. */
  | { readonly do: "gather"; readonly name: string; readonly values: readonly number[] }
  /** Clients send one value to each name, while a timer runs that is never due. */
  | { readonly do: "hurry"; readonly names: readonly string[]; readonly value: number }
  /** Another run sends the value. */
  | { readonly do: "hear"; readonly name: string; readonly value: number }
  | { readonly do: "send"; readonly runId: string; readonly name: string; readonly value: number }
  | { readonly do: "self"; readonly name: string; readonly value: number }
  /** Waits in vain. */
  | { readonly do: "impatient"; readonly ms: number }
  | { readonly do: "race"; readonly ms: number }
  | { readonly do: "any"; readonly ms: number }
  | { readonly do: "all"; readonly branches: readonly Program[] }
  | { readonly do: "shield"; readonly program: Program }
  | { readonly do: "child"; readonly program: Program }
  /** A child that gets a signal from its parent. */
  | { readonly do: "told"; readonly name: string; readonly value: number }
  /** A child that its parent cancels. */
  | { readonly do: "dismiss" }
  /** A child that nobody waits for. Unless abandoned it goes on for ever: only its parent's end ends it. */
  | {
      readonly do: "detach";
      readonly id: string;
      readonly program: Program;
      readonly close: "abandon" | "cancel" | "terminate";
    }
  /** The run continues as new: not in a branch. */
  | { readonly do: "continue" }
  /** What earlier generations have put out. */
  | { readonly do: "past"; readonly outputs: readonly unknown[] }
  /** The run waits until somebody ends it. */
  | { readonly do: "forever" }
  /** The run fails. */
  | { readonly do: "throw" };

/** What a simulated workflow does: its input, made by chance, whose outcome is known beforehand. */
export type Program = readonly Step[];
