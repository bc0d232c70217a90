import { StorageError, UsageError } from "../errors/index.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { type Capabilities, CONTRACT_VERSION, type StorageInfo } from "../storage/info.ts";

/** The words that a storage may declare. */
const WORDS: { readonly [C in "processes" | "durability" | "wakeups" | "listing"]: readonly Capabilities[C][] } = {
  processes: ["one", "many"],
  durability: ["fsync", "replicated", "bounded-loss", "memory"],
  wakeups: ["none", "in-process", "push"],
  listing: ["strong", "eventual"],
};

/** @throws UsageError `invalid-argument` for what is no storage */
export function requireStorage(storage: StorageBackend): void {
  const given = storage as Partial<StorageBackend> | null | undefined;
  if (typeof given === "object" && given?.info?.limits !== undefined && typeof given.setup === "function") return;
  throw new UsageError(
    "invalid-argument",
    `A client and a worker need a storage, and got ${given === null ? "null" : typeof given === "object" ? "an object that is none" : typeof given}. Pass { storage: sqlite("perdure.db") }, or what another storage's function returned.`,
  );
}

/** @throws StorageError `misconfigured` for a storage that was written for another version of the port */
export function requireContract({ name, contract }: StorageInfo): void {
  if (contract === CONTRACT_VERSION) return;
  throw foreign(
    `The ${name} storage was written for version ${contract} of the storage contract, and this @perdure/core has version ${CONTRACT_VERSION}.`,
  );
}

/**
 * What a word means nobody can guess: whoever went by one that he does not know would, for example, look for work without a pause.
 * @throws StorageError `misconfigured` for a capability that this version does not know
 */
export function requireCapabilities({ name, capabilities }: StorageInfo): void {
  for (const [capability, words] of Object.entries(WORDS)) {
    const declared = capabilities[capability as keyof typeof WORDS];
    if ((words as readonly string[]).includes(declared)) continue;
    throw foreign(
      `The ${name} storage declares ${capability}: ${JSON.stringify(declared)}, and this @perdure/core knows ${words.join(", ")}.`,
    );
  }
}

function foreign(what: string): StorageError {
  return new StorageError("misconfigured", `${what} Install versions of the two packages that belong together.`);
}
