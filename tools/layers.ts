import { posix } from "node:path";
import type { Sources } from "./sources.ts";

/**
 * The folders of core, lowest first. A file imports from its own folder and from the lines below it (that is, earlier
 * here); folders on one line do not see each other. The entry files beside the folders import anything, and no folder
 * imports them.
 */
const core = "packages/core/src/";
const layers: readonly (readonly string[])[] = [
  ["model"],
  ["errors"],
  ["codec"],
  ["storage"],
  ["memory"],
  ["define"],
  ["engine"],
  ["batch"],
  ["runtime"],
  ["client", "worker"],
  ["testing"],
];
const ranks = new Map(layers.flatMap((folders, rank) => folders.map((folder) => [folder, rank] as const)));
const firstWithRealTime = ranks.get("runtime")!;

/** What a package may import from the others; one that is not listed may import any. */
const port = "@perdure/core/storage";
const packages: ReadonlyMap<string, readonly string[]> = new Map([
  ["packages/core", []],
  ["packages/storage-sql", [port]],
  ["packages/storage-sqlite", [port, "@perdure/storage-sql"]],
  ["packages/storage-postgres", [port, "@perdure/storage-sql"]],
  ["packages/storage-mysql", [port, "@perdure/storage-sql"]],
  ["packages/storage-file", [port]],
  ["packages/storage-redis", [port]],
  ["packages/storage-cosmos", [port]],
  ["conformance", ["@perdure/core", port, "@perdure/core/memory", "@perdure/core/testing"]],
]);

const comments = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g;
const imports = /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/gm;
const strings = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
const timeOrChance =
  /\b(?:Date\.now|performance\.now|Math\.random|randomUUID|getRandomValues|randomBytes)\b|\bnew Date(?:\(\s*\)|\s*;)|(?:globalThis\.|(?<![\w.]))set(?:Timeout|Interval|Immediate)\b|node:(?:timers|perf_hooks)/;

/** One sentence for every import, cycle or use of time and chance that the architecture forbids; none if all is well. */
export function brokenLayers(sources: Sources): readonly string[] {
  const broken: string[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [file, text] of sources) {
    const code = text.replace(comments, "$1");
    const specifiers = [...code.matchAll(imports)].map((match) => match[1] ?? match[2]!);
    const relative = specifiers.filter((specifier) => specifier.startsWith("."));
    const targets = relative.map((specifier) => posix.join(posix.dirname(file), specifier));
    graph.set(file, targets);
    broken.push(...brokenPackages(file, specifiers, targets));
    if (file.startsWith(core) && !/\.test(?:-d)?\.ts$/.test(file))
      broken.push(...brokenFolders(file, code, specifiers, targets));
  }
  return [...broken, ...cycles(graph)];
}

function brokenPackages(file: string, specifiers: readonly string[], targets: readonly string[]): readonly string[] {
  const home = file.split("/", file.startsWith("packages/") ? 2 : 1).join("/");
  const allowed = packages.get(home);
  const foreign = specifiers.filter((name) => name.startsWith("@perdure/") && allowed?.includes(name) === false);
  const outside = targets.filter((target) => !target.startsWith(`${home}/`));
  return [...foreign, ...outside].map((target) => `${file} imports ${target}, which ${home} may not see.`);
}

function brokenFolders(
  file: string,
  code: string,
  specifiers: readonly string[],
  targets: readonly string[],
): readonly string[] {
  const folder = folderOf(file);
  if (folder === "") return [];
  const rank = ranks.get(folder);
  if (rank === undefined)
    return [`${file} lies in a folder that has no layer: give ${folder}/ one in tools/layers.ts.`];

  const broken = targets
    .filter((target) => target.startsWith(core) && folderOf(target) !== folder)
    .filter((target) => (ranks.get(folderOf(target)) ?? Infinity) >= rank)
    .map((target) => `${file} imports ${target}, which is not below ${folder}/.`);
  if (folder === "engine") {
    const modules = specifiers.filter((name) => name.startsWith("node:") && name !== "node:async_hooks");
    broken.push(...modules.map((name) => `${file} imports ${name}: of Node, the engine knows async_hooks only.`));
  }
  const use = rank < firstWithRealTime ? timeOrChance.exec(code.replace(strings, quoteOnlyModules)) : null;
  if (use) broken.push(`${file} uses ${use[0]}: below runtime/, time and randomness are injected.`);
  return broken;
}

/** The folder of core that a file belongs to; empty for the entry files. */
function folderOf(file: string): string {
  const [folder = "", ...rest] = file.slice(core.length).split("/");
  return rest.length > 0 ? folder : "";
}

/** Text may mention what code may not use. */
function quoteOnlyModules(text: string): string {
  return /^.node:\w+.$/.test(text) ? text : '""';
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0)
      found.push(`These files import each other in a circle: ${[...path.slice(start), file].join(" → ")}.`);
    if (start >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
