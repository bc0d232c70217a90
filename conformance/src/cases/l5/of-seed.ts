import type { CaseContext } from "../../context.ts";
import { ConformanceFailure } from "../../failure.ts";

/** Plays one seed. A failure says how that seed alone is played again. */
export async function ofSeed(seed: number, play: () => Promise<void>): Promise<void> {
  try {
    await play();
  } catch (error) {
    if (error instanceof ConformanceFailure) error.again = `--seed ${seed} --runs 1`;
    throw error;
  }
}

/** So many seeds are played, from the suite's on. */
export function worldsOf({ chances, full, info }: CaseContext): number {
  return chances.runs ?? (full ? 1_000 : info.capabilities.durability === "memory" ? 200 : 40);
}
