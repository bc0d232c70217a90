import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { workspaces } from "../../tools/workspaces.ts";
import { pages, root } from "./programs.ts";

const read = (file: string): string => readFileSync(join(root, file), "utf8");
const all = [
  ...pages,
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  "conformance/README.md",
  ...globSync("examples/*/README.md", { cwd: root }),
];

/** As GitHub makes anchors of headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function isBroken(page: string, link: string): boolean {
  if (/^https?:/.test(link)) return false;
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return true;
  return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
}

describe.each(all)("%s", (page) => {
  it("links to what is there", () => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(([, a, b]) => (a ?? b)!);
    expect(links.filter((link) => isBroken(page, link))).toEqual([]);
  });

  it("does not promise what nobody can keep", () => {
    expect(read(page)).not.toMatch(/exactly[ -]once execution|executed exactly once/i);
  });
});

describe("the guarantees", () => {
  it("lead to the cases that prove them", () => {
    const page = read("docs/guarantees.md");
    const defined = [...page.matchAll(/^\[(I\d+)\]: conformance\.md#i\d+$/gm)].map((match) => match[1]!);
    const named = [...page.matchAll(/\[(I\d+)\](?!:)/g)].map((match) => match[1]!);
    expect(new Set(named)).toEqual(new Set(defined));
    expect(page).not.toMatch(/\(I\d+[,)]/);
  });
});

describe("the guides", () => {
  it("are all tested", () => {
    const guides = globSync("docs/**/*.md", { cwd: root }).filter((page) => !page.startsWith("docs/decisions/"));
    expect(guides).toContain("docs/storages/sqlite.md");
    expect(guides.filter((page) => !pages.includes(page))).toEqual([]);
  });

  it("explain every error code, and no other", () => {
    const explained = [...read("docs/errors.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]!);
    const codes = [...read("packages/core/src/errors/error-code.ts").matchAll(/"([a-z-]+)"/g)].map(
      (match) => match[1]!,
    );
    expect(codes.length).toBeGreaterThan(20);
    expect(explained.toSorted()).toEqual(codes.toSorted());
  });

  it("explain every reason of a block, and no other", () => {
    const [, section = ""] = read("docs/determinism.md").split("`describe().blocked.code` is one of");
    const [table = ""] = section.split("\n## ");
    const explained = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]!);
    const [, union = ""] = /readonly code:([^;]+);/.exec(read("packages/core/src/engine/block-reason.ts")) ?? [];
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map((match) => match[1]!);
    expect(codes).toContain("determinism");
    expect(explained.toSorted()).toEqual(codes.toSorted());
  });
});

describe("README.md", () => {
  it("lists every package", () => {
    const listed = [...read("README.md").matchAll(/^\| \[`(@perdure\/[a-z-]+)`\]/gm)].map((match) => match[1]!);
    const published = workspaces().filter((workspace) => workspace.published);
    expect(listed.toSorted()).toEqual(published.map(({ name }) => name).toSorted());
  });

  it("lists every example", () => {
    const listed = [...read("README.md").matchAll(/^\| \[[a-z-]+\]\((examples\/[a-z-]+)\)/gm)].map(
      (match) => match[1]!,
    );
    const folders = workspaces().flatMap(({ folder }) => (folder.startsWith("examples/") ? [folder] : []));
    expect(listed.toSorted()).toEqual(folders.toSorted());
  });

  it("names scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read("README.md").matchAll(/npm (?:run )?(test|demo|bench|[a-z]+)(?! -w)(?=[ `]|$)/gm)].map(
      (match) => match[1]!,
    );
    expect(named).toEqual(expect.arrayContaining(["ci", "demo", "test"]));
    expect(named.filter((name) => name !== "ci" && name !== "install" && !(name in scripts))).toEqual([]);
  });
});
