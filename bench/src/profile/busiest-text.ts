import type { SelfTime } from "./busiest.ts";

/** The busiest functions, one a line. */
export function busiestText(functions: readonly SelfTime[]): string {
  return functions
    .map(({ name, where, ms, percent }) => {
      const numbers = `${ms.toFixed(1).padStart(8)} ms ${percent.toFixed(1).padStart(5)} %`;
      return `${numbers}  ${name}${where === "" ? "" : `  ${where}`}`;
    })
    .join("\n");
}
