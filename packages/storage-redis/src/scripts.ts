import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A program that runs in the server: atomically, and as a whole. */
export interface Script {
  readonly name: string;
  readonly text: string;
  /** What the server knows it by, once it has seen it. */
  readonly sha: string;
}

function script(name: string, ...libraries: readonly string[]): Script {
  const text = [...["base", ...libraries].map((library) => `lib/${library}`), name].map(read).join("\n");
  return { name, text, sha: shaOf(text) };
}

function shaOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** The folder `lua` stands beside both `src` and `dist`. */
function read(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), "utf8");
}

const TASKS = ["task", "lane"];

export const SCRIPTS = {
  now: script("now"),
  create: script("create", ...TASKS, "index", "life"),
  readEvents: script("read-events"),
  list: script("list"),
  claim: script("claim", ...TASKS, "inbox", "life"),
  renew: script("renew", ...TASKS, "inbox"),
  commit: script("commit", ...TASKS, "index", "inbox", "activity"),
  deliver: script("deliver", ...TASKS, "inbox"),
  unblock: script("unblock", ...TASKS, "index"),
  readCache: script("read-cache"),
  writeCache: script("write-cache", ...TASKS),
  forgetCache: script("forget-cache"),
  stats: script("stats", "task"),
  findClosed: script("find-closed"),
  purge: script("purge", "index"),
} as const satisfies Record<string, Script>;

/** Stands alone: it knows no shard. */
export const SETUP: Script = ((text) => ({ name: "setup", text, sha: shaOf(text) }))(read("setup"));

export const ALL_SCRIPTS: readonly Script[] = [...Object.values(SCRIPTS), SETUP];
