import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's root folder. */
export const root: string = dirname(dirname(import.meta.dirname));

/** The pages whose TypeScript is type-checked and run. */
export const pages: readonly string[] = [
  "README.md",
  "packages/core/README.md",
  "packages/storage-sql/README.md",
  "packages/storage-sqlite/README.md",
  "packages/storage-file/README.md",
  "packages/storage-postgres/README.md",
  "packages/storage-mysql/README.md",
  "packages/storage-redis/README.md",
  "packages/storage-cosmos/README.md",
  "docs/getting-started.md",
  "docs/concepts.md",
  "docs/conformance.md",
  "docs/workflows.md",
  "docs/activities.md",
  "docs/signals-and-timers.md",
  "docs/children-and-cancellation.md",
  "docs/errors.md",
  "docs/determinism.md",
  "docs/guarantees.md",
  "docs/versioning.md",
  "docs/write-a-backend.md",
  "docs/testing.md",
  "docs/storages/sqlite.md",
  "docs/storages/file.md",
  "docs/storages/postgres.md",
  "docs/storages/mysql.md",
  "docs/storages/redis.md",
  "docs/storages/cosmos.md",
];

/**
 * A program that a page contains: all its `ts` blocks, hidden ones included, up to the next program.
 *
 *     <!-- program -->              starts another program, which is run
 *     <!-- program: worker.ts -->   starts another program with a file name; others import it, a test of its own runs it
 *     <!-- ts                       code that readers do not see, up to a line `-->`
 *     <!-- prints -->               the next `text` block is what the program prints
 */
export interface Program {
  readonly page: string;
  /** File name. */
  readonly name: string;
  readonly isNamed: boolean;
  /** On the same lines as in the page, so that the compiler and stack traces point into the page. */
  readonly code: string;
  /** What it prints; `null`: the page does not say. */
  readonly prints: string | null;
}

type Block = "ts" | "hidden" | "prints" | "other";

/** The programs of a page, in its order. */
export function programsOf(page: string, markdown: string): readonly Program[] {
  const programs: Program[] = [];
  let name: string | null = null;
  let lines: string[] = [];
  let prints: string | null = null;
  let block: Block | null = null;
  let isPrintsNext = false;

  const end = (): void => {
    if (lines.some((line) => line !== "")) {
      const code = `${lines.join("\n")}\n`;
      programs.push({ page, name: name ?? `program-${programs.length + 1}.ts`, isNamed: name !== null, code, prints });
    }
    lines = lines.map(() => "");
    prints = null;
  };

  for (const line of markdown.split("\n")) {
    const isCode = block === "ts" || block === "hidden";
    const isLast = block === "hidden" ? line === "-->" : block !== null && line === "```";
    lines.push(isCode && !isLast ? line : "");
    if (block !== null) {
      if (block === "prints" && !isLast) prints = `${prints ?? ""}${line}\n`;
      if (isLast) block = null;
      continue;
    }
    const program = /^<!-- program(?:: (.+))? -->$/.exec(line);
    if (program !== null) {
      end();
      name = program[1] ?? null;
    } else if (line === "<!-- prints -->") isPrintsNext = true;
    else if (line === "<!-- ts") block = "hidden";
    else if (line.startsWith("```")) {
      block = line === "```ts" ? "ts" : line === "```text" && isPrintsNext ? "prints" : "other";
      isPrintsNext = false;
    }
  }
  end();
  return programs;
}

/** The programs of all pages, written where they find the packages of this repository. */
export interface WrittenPrograms {
  readonly folder: string;
  readonly programs: readonly (Program & { readonly file: string })[];
  remove(): void;
}

/** Each page gets a folder of its own. */
export function writePrograms(from: readonly string[] = pages): WrittenPrograms {
  const folder = mkdtempSync(join(root, "docs", ".programs-"));
  const programs = from.flatMap((page) => {
    const home = join(folder, page.replace(/\.md$/, "").replaceAll("/", "-"));
    mkdirSync(home, { recursive: true });
    return programsOf(page, readFileSync(join(root, page), "utf8")).map((program) => {
      const file = join(home, program.name);
      writeFileSync(file, program.code);
      return { ...program, file };
    });
  });
  return { folder, programs, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
