import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

/** The folder, next to the project. */
export const FAILURES = ".perdure-conformance";

/** So many of one case are kept; the oldest give way. */
const MOST = 20;

/** What has failed a case before, as data, each a list of parts: tried first until someone deletes the file. */
export class KeptFailures<T extends readonly unknown[]> {
  readonly #path: string;
  readonly #folder: string;

  constructor(folder: string, caseId: string) {
    this.#folder = folder;
    this.#path = join(folder, `${caseId}.json`);
  }

  get path(): string {
    return this.#path;
  }

  /** Newest first. @throws Error where the file is no list in JSON */
  async read(): Promise<readonly T[]> {
    try {
      const kept: unknown = JSON.parse(await readFile(this.#path, "utf8"));
      if (!Array.isArray(kept) || !kept.every(Array.isArray)) throw new TypeError("It is no list of lists.");
      return kept as unknown as readonly T[];
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(String((error as NodeJS.ErrnoException).code))) return [];
      throw new Error(`${this.#path} cannot be read. Delete it: it holds what failed before.`, { cause: error });
    }
  }

  /** Another process never reads half of the file. */
  async add(input: T): Promise<void> {
    const others = (await this.read()).filter((one) => !isDeepStrictEqual(one, input));
    await mkdir(this.#folder, { recursive: true });
    const lines = [input, ...others].slice(0, MOST).map((one) => `  ${JSON.stringify(one)}`);
    const next = `${this.#path}.${process.pid}`;
    await writeFile(next, `[\n${lines.join(",\n")}\n]\n`);
    await rename(next, this.#path);
  }
}
