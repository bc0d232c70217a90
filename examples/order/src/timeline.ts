import { styleText } from "node:util";
import type { Clause } from "./narrate.ts";

const COLOURS = { good: "green", bad: "red", plain: "reset" } as const;

/** Prints one line for each thing that happens: coloured on a terminal, plain when piped. */
export class Timeline {
  readonly #startedAt = Date.now();
  readonly #colours = process.stdout.isTTY && process.stdout.hasColors();

  /** @param at epoch ms; now, if it is left out */
  say(who: string, { text, mood }: Clause, at: number = Date.now()): void {
    const time = (Math.max(0, at - this.#startedAt) / 1_000).toFixed(2).padStart(6);
    const line = `${this.#paint("dim", `${time} s`)}  ${this.#paint("bold", who.padEnd(12))}  ${this.#paint(COLOURS[mood], text)}`;
    process.stdout.write(`${line}\n`);
  }

  #paint(style: Parameters<typeof styleText>[0], text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}
