import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConformanceFailure } from "../failure.ts";
import { printError } from "../print.ts";
import type { BackendUnderTest } from "../subject.ts";
import { within } from "../within.ts";

/** Subjects of this repository, by name. A published suite has none. */
const BUILT_IN = new URL("../../backends/", import.meta.url);
const BUILT_IN_NAMES = [
  "memory",
  "sqlite",
  "file",
  "postgres",
  "postgres-pgbouncer",
  "mysql",
  "redis",
  "redis-everysec",
  "redis-cluster",
  "cosmos",
];

/** A module has so long to be evaluated. */
const IMPORT_MS = 30_000;

/** The subject that a word of the command line names. @throws Error that says what is missing */
export async function findSubject(word: string): Promise<BackendUnderTest> {
  const { default: subject } = await importOf(word);
  if (typeof subject?.open !== "function" || typeof subject.name !== "string") {
    throw new Error(`${word} does not export a backend under test by default: an object with name and open.`);
  }
  return subject as BackendUnderTest;
}

async function importOf(word: string): Promise<{ readonly default?: Partial<BackendUnderTest> }> {
  const url = locate(word);
  let module: { readonly default?: Partial<BackendUnderTest> } = {};
  try {
    await within(
      IMPORT_MS,
      `the import of ${word} is over`,
      async () => void (module = (await import(url)) as typeof module),
    );
  } catch (cause) {
    throw new Error(`${word} cannot be imported. ${reason(url, cause)}`, { cause });
  }
  return module;
}

function reason(url: string, error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  const unknown = code === "ERR_UNKNOWN_FILE_EXTENSION" && /^\.m?tsx?$/u.test(extname(url));
  if (unknown) {
    return `Node ${process.versions.node} does not run this TypeScript: take Node 22.18 or newer and a .ts file, or compile it.`;
  }
  if (error instanceof ConformanceFailure || !(error instanceof Error)) return printError(error);
  // Where it was thrown, without Node's own part in it.
  return String(error.stack).replaceAll(/\n\s+at .*node:internal.*/gu, "");
}

function locate(word: string): string {
  const builtIn = new URL(`${word}.ts`, BUILT_IN);
  if (/^[\w-]+$/u.test(word) && existsSync(builtIn)) return builtIn.href;
  if (BUILT_IN_NAMES.includes(word)) {
    throw new Error(`The backend ${word} is only in the repository of Perdure. Give a file, such as ./backend.ts.`);
  }
  if (statSync(resolve(word), { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`${word} is a folder. Give the file in it that exports the backend.`);
  }
  if (existsSync(resolve(word))) return pathToFileURL(resolve(word)).href;
  try {
    return pathToFileURL(createRequire(join(process.cwd(), "package.json")).resolve(word)).href;
  } catch (cause) {
    throw new Error(`There is no backend ${word}: neither a file nor a package of that name was found.`, { cause });
  }
}
