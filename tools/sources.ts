import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./workspaces.ts";

/** Text by path; paths are relative to the root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** What the packages and the conformance suite are made of, with its mutants and the tests that stand beside the code. */
export function readSources(): Sources {
  const files = globSync(["packages/*/src/**/*.ts", "conformance/{src,mutants}/**/*.ts"], { cwd: root });
  return new Map(
    files.toSorted().map((file) => [file.replaceAll("\\", "/"), readFileSync(join(root, file), "utf8")] as const),
  );
}
