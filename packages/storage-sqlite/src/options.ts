import { checkNamespace, type Millis, UsageError } from "@perdure/core/storage";

/** What a store in a SQLite file can be told. */
export interface SqliteOptions {
  /** The file; it is created if it is not there, its directory is not. `:memory:` for a store that ends with this object. */
  readonly path: string;
  /** Runs of one namespace know nothing of another's in the same file. Default `default`. */
  readonly namespace?: string;
  /**
   * `full`: what was acknowledged survives power loss. `normal`: it survives a crash of the process, and a power loss may take
   * the last moments, never the consistency. Default `full`.
   */
  readonly synchronous?: "full" | "normal";
  /** `auto`: the first use creates and migrates the schema. `check`: it refuses one that is not current. Default `auto`. */
  readonly migrate?: "auto" | "check";
  /** How long a verb waits, in milliseconds, while another process writes. Default 5000. */
  readonly busyTimeout?: number;
  /** Reads the wall clock. The store's time follows it, but never goes back. For tests. */
  readonly clock?: { now(): Millis };
}

export type Settings = Required<SqliteOptions>;

const OPTIONS: ReadonlySet<string> = new Set([
  "path",
  "namespace",
  "synchronous",
  "migrate",
  "busyTimeout",
  "clock",
] satisfies (keyof SqliteOptions)[]);

/** Options with their defaults. */
export function settingsOf(pathOrOptions: string | SqliteOptions): Settings {
  const options: SqliteOptions =
    typeof pathOrOptions === "string"
      ? { path: pathOrOptions }
      : ((pathOrOptions as SqliteOptions | undefined) ?? { path: "" });
  const settings: Settings = {
    namespace: "default",
    synchronous: "full",
    migrate: "auto",
    busyTimeout: 5000,
    clock: Date,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    path: options.path,
  };
  require(settings.path !== "" && typeof settings.path === "string", "path", "the name of a file, or :memory:");
  checkNamespace(settings.namespace);
  for (const name of Object.keys(settings)) requireKnown(name);
  require(["full", "normal"].includes(settings.synchronous), "synchronous", "full or normal");
  require(["auto", "check"].includes(settings.migrate), "migrate", "auto or check");
  require(settings.busyTimeout >= 0, "busyTimeout", "a number of milliseconds");
  return settings;
}

function require(condition: boolean, option: string, rule: string): void {
  if (condition) return;
  throw new UsageError("invalid-argument", `sqlite: ${option} must be ${rule}. Correct the option.`, {
    details: { field: option },
  });
}

function requireKnown(name: string): void {
  if (OPTIONS.has(name)) return;
  throw new UsageError(
    "invalid-argument",
    `sqlite has no option "${name}". Its options are ${[...OPTIONS].join(", ")}.`,
    { details: { field: name } },
  );
}
