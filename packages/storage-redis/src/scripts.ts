import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A program that runs in the server: atomically, and as a whole. */
export interface Script {
  readonly name: string;
  readonly text: string;
  /** What the server knows it by, once it has seen it. */
  readonly sha: string;
}

/**
 * Libraries that a script opens by `open_<opens>()` when it needs them. Each call of a script makes all its functions anew, which costs about half a
 * microsecond each: for the fifty of a commit that was a third of its time.
 */
interface Part {
  readonly opens: string;
  readonly libraries: readonly string[];
}

function script(name: string, ...libraries: readonly (string | Part)[]): Script {
  const text = ["base", ...libraries].map(textOf).join("\n") + `\n${read(name)}`;
  return { name, text, sha: shaOf(text) };
}

function textOf(library: string | Part): string {
  if (typeof library === "string") return read(`lib/${library}`);
  const { opens, libraries } = library;
  return `local function open_${opens}()\n${libraries.map(textOf).join("\n")}\nend\n`;
}

function shaOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** The folder `lua` stands beside both `src` and `dist`. */
function read(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), "utf8");
}

const TASKS = ["run", "task", "lane"];

export const SCRIPTS = {
  now: script("now"),
  greet: script("greet", "life"),
  create: script("create", "hints", ...TASKS, "register-lane", "index"),
  readEvents: script("read-events"),
  list: script("list"),
  claim: script("claim", ...TASKS, "unread", "life"),
  renew: script("renew", ...TASKS, "unread"),
  commit: script("commit", "run", "unread", {
    opens: "more",
    libraries: ["hints", "task", "lane", "register-lane", "give-back", "index", "inbox", "activity", "commit-more"],
  }),
  deliver: script("deliver", "hints", ...TASKS, "inbox"),
  unblock: script("unblock", "hints", ...TASKS, "index"),
  readCache: script("read-cache"),
  writeCache: script("write-cache", "run", "task"),
  forgetCache: script("forget-cache"),
  stats: script("stats", "task"),
  findClosed: script("find-closed"),
  purge: script("purge", "index"),
} as const satisfies Record<string, Script>;

/** Stands alone: it knows no shard. */
export const SETUP: Script = ((text) => ({ name: "setup", text, sha: shaOf(text) }))(read("setup"));

export const ALL_SCRIPTS: readonly Script[] = [...Object.values(SCRIPTS), SETUP];
