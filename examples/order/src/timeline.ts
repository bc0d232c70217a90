import { styleText } from "node:util";

/** How something went. */
export type Mood = "good" | "bad" | "plain";

const COLOURS = { good: "green", bad: "red", plain: "reset" } as const;

/** Prints one line for each thing that happens: coloured on a terminal, plain when piped. */
export class Timeline {
  readonly #startedAt = Date.now();
  readonly #isColoured = process.stdout.isTTY && process.stdout.hasColors();

  /** @param at epoch ms; now, if it is left out */
  say(who: string, mood: Mood, text: string, at: number = Date.now()): void {
    const time = (Math.max(0, at - this.#startedAt) / 1_000).toFixed(2).padStart(6);
    const words = [
      this.#paint("dim", `${time} s`),
      this.#paint("bold", who.padEnd(12)),
      this.#paint(COLOURS[mood], text),
    ];
    process.stdout.write(`${words.join("  ")}\n`);
  }

  #paint(style: "dim" | "bold" | (typeof COLOURS)[Mood], text: string): string {
    return this.#isColoured ? styleText(style, text, { validateStream: false }) : text;
  }
}
