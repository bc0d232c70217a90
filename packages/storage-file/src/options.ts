import { checkNamespace, type Millis, UsageError } from "@perdure/core/storage";

/** What a store in a folder can be told. */
export interface FileOptions {
  /** The folder; it is created if it is not there, the one that it stands in is not. Nothing else belongs into it. */
  readonly path: string;
  /** Runs of one namespace know nothing of another's in the same folder. Default `default`. */
  readonly namespace?: string;
  /**
   * `full`: what was acknowledged survives power loss. `off`: it survives a crash of the process, while a loss of power may damage
   * the store: for tests, and for what can be done again. Default `full`.
   */
  readonly synchronous?: "full" | "off";
  /** `auto`: the first use creates the store. `check`: it refuses a folder that has none. Default `auto`. */
  readonly migrate?: "auto" | "check";
  /** How long a verb waits, in milliseconds, while other processes write. Default 5000. */
  readonly busyTimeout?: number;
  /**
   * The journal is compacted when it is longer than so many bytes, and longer than what the runs take by themselves. Default
   * 64 MiB.
   */
  readonly compactAbove?: number;
  /** Reads the wall clock. The store's time follows it, but never goes back. For tests. */
  readonly clock?: { now(): Millis };
}

export type Settings = Required<FileOptions>;

const MIB = 1024 * 1024;

const OPTIONS: ReadonlySet<string> = new Set([
  "path",
  "namespace",
  "synchronous",
  "migrate",
  "busyTimeout",
  "compactAbove",
  "clock",
] satisfies (keyof FileOptions)[]);

/** Options with their defaults. @throws UsageError `invalid-argument` */
export function settingsOf(pathOrOptions: string | FileOptions): Settings {
  const options: FileOptions =
    typeof pathOrOptions === "string"
      ? { path: pathOrOptions }
      : ((pathOrOptions as FileOptions | undefined) ?? { path: "" });
  const settings: Settings = {
    namespace: "default",
    synchronous: "full",
    migrate: "auto",
    busyTimeout: 5000,
    compactAbove: 64 * MIB,
    clock: Date,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    path: options.path,
  };
  const { path, synchronous, migrate, busyTimeout, compactAbove, clock } = settings;
  require(typeof path === "string" && path !== "" && !path.includes("\0"), "path", "the name of a folder");
  checkNamespace(settings.namespace);
  for (const name of Object.keys(settings)) requireKnown(name);
  require(["full", "off"].includes(synchronous), "synchronous", "full or off");
  require(["auto", "check"].includes(migrate), "migrate", "auto or check");
  require(busyTimeout >= 0 && Number.isFinite(busyTimeout), "busyTimeout", "a number of milliseconds");
  require(compactAbove >= 0, "compactAbove", "a number of bytes");
  require(typeof clock?.now === "function", "clock", "an object with now()");
  return settings;
}

function require(condition: boolean, option: string, rule: string): void {
  if (condition) return;
  throw new UsageError("invalid-argument", `file: ${option} must be ${rule}. Correct the option.`, {
    details: { field: option },
  });
}

function requireKnown(name: string): void {
  if (OPTIONS.has(name)) return;
  throw new UsageError(
    "invalid-argument",
    `file has no option "${name}". Its options are ${[...OPTIONS].join(", ")}.`,
    {
      details: { field: name },
    },
  );
}
