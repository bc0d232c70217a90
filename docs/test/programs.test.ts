import { execFileSync } from "node:child_process";
import { relative, join } from "node:path";
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { programsOf, root, writePrograms } from "./programs.ts";
import { runProgram } from "./run-program.ts";

const written = writePrograms();
afterAll(() => written.remove());

describe("the TypeScript in the pages", () => {
  it("compiles", { timeout: 60_000 }, () => {
    const tsconfig = {
      extends: join(relative(written.folder, root), "tsconfig.base.json"),
      compilerOptions: { noEmit: true },
      include: ["**/*.ts"],
    };
    writeFileSync(join(written.folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    let output = "";
    try {
      execFileSync(process.execPath, [tsc, "-p", written.folder], { encoding: "utf8" });
    } catch (error) {
      output = String((error as { stdout?: unknown }).stdout ?? error);
    }
    expect(output).toBe("");
  });

  const runnable = written.programs.filter(({ isNamed }) => !isNamed);
  it.concurrent.each(runnable.map((program) => [`${program.page}, ${program.name}`, program] as const))(
    "runs: %s",
    { timeout: 60_000 },
    async (_, { file, prints }) => {
      const ran = await runProgram(file);
      expect(ran).toEqual({ code: 0, stderr: "", stdout: prints ?? "" });
    },
  );
});

describe("programsOf", () => {
  const page = [
    "# Page",
    "```ts",
    "const a = 1;",
    "```",
    "<!-- ts",
    "console.log(a);",
    "-->",
    "<!-- prints -->",
    "```text",
    "1",
    "```",
    "```sh",
    "npm test",
    "```",
    "<!-- program: b.ts -->",
    "```ts",
    "export const b = 2;",
    "```",
  ].join("\n");

  it("joins the blocks of a program, the hidden ones too, and keeps their lines", () => {
    const [first, second, ...others] = programsOf("page.md", page);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ name: "program-1.ts", isNamed: false, prints: "1\n" });
    expect(
      first!.code
        .split("\n")
        .map((line, at) => `${at + 1} ${line}`)
        .filter((line) => / ./.test(line)),
    ).toEqual(["3 const a = 1;", "6 console.log(a);"]);
    expect(second).toMatchObject({ name: "b.ts", isNamed: true, prints: null });
    expect(second!.code.split("\n")[16]).toBe("export const b = 2;");
  });
});
