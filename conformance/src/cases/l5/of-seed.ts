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
