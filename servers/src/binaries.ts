import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installWithApt } from "./apt.ts";

/** Where servers are looked for. Tests look elsewhere than on their machine. */
export interface Surroundings {
  readonly environment: Record<string, string | undefined>;
  /** Where to look beside `PATH`, as globs. */
  readonly folders: readonly string[];
}

export const machine: Surroundings = {
  environment: process.env,
  folders: ["/usr/lib/postgresql/*/bin", "/usr/sbin"],
};

/**
 * The paths of the programs, in their order; a Debian package brings what is not installed.
 * @throws if one is missing: which, where it was looked for, why it was not installed
 */
export async function obtainBinaries(
  names: readonly string[],
  debianPackage: string,
  { folders, environment }: Surroundings,
): Promise<readonly string[]> {
  const find = (name: string): string | undefined => findBinary(name, { folders, environment });
  const missing = (): readonly string[] => names.filter((name) => find(name) === undefined);
  if (missing().length > 0) {
    const looked = `${missing().join(" and ")} not found in ${["PATH", ...folders].join(", ")}`;
    const aptGet = find("apt-get");
    if (!aptGet) throw new Error(`${looked}; not installed, because there is no apt-get`);
    if (process.getuid?.() !== 0) throw new Error(`${looked}; not installed, because that needs root`);
    await installWithApt(aptGet, debianPackage, environment);
    if (missing().length > 0) throw new Error(`${looked}, nor after apt-get install ${debianPackage}`);
  }
  return names.map((name) => find(name)!);
}

function findBinary(name: string, { folders, environment }: Surroundings): string | undefined {
  // Of several versions, the newest.
  const beside = globSync(folders).toSorted((one, other) => other.localeCompare(one, "en", { numeric: true }));
  const path = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...beside].map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
