import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BackendUnderTest } from "../subject.ts";

/** Subjects of this repository, by name. A published suite has none. */
const BUILT_IN = new URL("../../backends/", import.meta.url);
const BUILT_IN_NAMES = ["memory", "sqlite", "postgres", "postgres-pgbouncer", "mysql"];

/** The subject that a word of the command line names. @throws Error with one sentence about what is missing. */
export async function findSubject(word: string): Promise<BackendUnderTest> {
  const module = (await import(locate(word))) as { readonly default?: Partial<BackendUnderTest> };
  const subject = module.default;
  if (typeof subject?.open !== "function" || typeof subject.name !== "string") {
    throw new Error(`${word} does not export a backend under test by default: an object with name and open.`);
  }
  return subject as BackendUnderTest;
}

function locate(word: string): string {
  const builtIn = new URL(`${word}.ts`, BUILT_IN);
  if (/^[\w-]+$/u.test(word) && existsSync(builtIn)) return builtIn.href;
  if (BUILT_IN_NAMES.includes(word)) {
    throw new Error(`The backend ${word} is only in the repository of Perdure. Give a file, such as ./backend.ts.`);
  }
  if (existsSync(resolve(word))) return pathToFileURL(resolve(word)).href;
  try {
    return pathToFileURL(createRequire(join(process.cwd(), "package.json")).resolve(word)).href;
  } catch (cause) {
    throw new Error(`There is no backend ${word}: neither a file nor a package of that name was found.`, { cause });
  }
}
