import { existsSync } from "node:fs";

/** Fails as long as the depot, a file, is not there. */
export async function collect(depot: string): Promise<string> {
  if (!existsSync(depot)) throw new Error("The depot is closed.");
  return "collected";
}
