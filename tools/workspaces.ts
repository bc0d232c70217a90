import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's root folder. */
export const root: string = dirname(import.meta.dirname);

export interface Workspace {
  readonly name: string;
  /** Relative to the root, with forward slashes. */
  readonly folder: string;
  readonly published: boolean;
  /** Names of the workspaces that this one imports at run time. */
  readonly needs: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

/** Every workspace of the repository, each one after those that it needs. */
export function workspaces(): readonly Workspace[] {
  const patterns = (readManifest(".").workspaces ?? []).map((pattern) => `${pattern}/package.json`);
  const folders = globSync(patterns, { cwd: root }).map((file) => dirname(file).replaceAll("\\", "/"));
  const manifests = new Map(folders.toSorted().map((folder) => [readManifest(folder).name, folder]));

  const ordered = new Map<string, Workspace>();
  const visit = (name: string, folder: string): void => {
    if (ordered.has(name)) return;
    const manifest = readManifest(folder);
    const needs = Object.keys(manifest.dependencies ?? {}).filter((dependency) => manifests.has(dependency));
    for (const dependency of needs) visit(dependency, manifests.get(dependency)!);
    ordered.set(name, { name, folder, published: manifest.private !== true, needs });
  };
  for (const [name, folder] of manifests) visit(name, folder);
  return [...ordered.values()];
}
