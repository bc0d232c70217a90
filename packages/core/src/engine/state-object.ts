import { encodeAs } from "../codec/encode-as.ts";
import type { StateHandle } from "../define/context.ts";
import { UsageError } from "../errors/index.ts";
import type { Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { CommandLog } from "./command-log.ts";
import { RowChanges } from "./row-changes.ts";

type Fields = Record<string, unknown>;

/** From here on every change looks whether the state as a whole can still be stored. */
const LARGE_STATE_CHARACTERS = 64 * 1024;

/** The run's state: rebuilt by the code itself in every replay; each change is recorded once. */
export class StateObject implements StateHandle<Fields> {
  /** Each as what the fields that it has set were before; `undefined`: not there. */
  readonly changes = new RowChanges<ReadonlyMap<string, Payload | undefined>>();
  readonly #log: CommandLog;
  /** Every field as the codec wrote it: what is read is a copy. */
  #fields = new Map<string, Payload>();
  /** Characters of all of them. */
  #size = 0;
  #check: ((state: unknown) => void) | null = null;
  /** Names of the fields that `batch` has changed, until it ends. */
  #batch: Set<string> | null = null;

  constructor(log: CommandLog) {
    this.#log = log;
  }

  /** `check` throws for a state that is not to be. */
  initialize(initial: unknown, check: ((state: unknown) => void) | null): void {
    this.#check = check;
    if (initial !== undefined) this.#apply(this.#encode(initial as Fields));
  }

  get(): never;
  get(key: string): never;
  get(key?: string): unknown {
    if (key === undefined) return this.snapshot();
    const text = this.#fields.get(key);
    return text === undefined ? undefined : this.#codec.decode(text);
  }

  set(key: string, value: unknown): void {
    const text = encodeAs(this.#codec, value, "state field", key);
    const changes = new Map([[key, text]]);
    if (this.#batch !== null) return void this.#apply(changes);
    this.#requireFit(changes);
    const asked = this.#log.askNow(["STATE_SET"], key);
    const before = this.#apply(changes);
    if (asked.recorded !== undefined) return;
    this.changes.add(this.#log.record("STATE_SET", asked.command, { key }, { value: text }), before);
  }

  update(change: (state: Fields) => Fields): void {
    const changes = this.#encode(requireFields(change(this.snapshot())));
    if (this.#batch !== null) this.#apply(changes);
    else this.#record(changes);
  }

  batch(changes: (state: StateHandle<Fields>) => void): void {
    if (this.#batch !== null) return changes(this);
    const before = this.#fields;
    const size = this.#size;
    const changed = new Set<string>();
    this.#batch = changed;
    this.#fields = new Map(before);
    let after = before;
    try {
      changes(this);
      after = this.#fields;
    } finally {
      this.#batch = null;
      this.#fields = before;
      this.#size = size;
    }
    this.#record(new Map([...changed].map((key) => [key, after.get(key)!])));
  }

  snapshot(): Fields {
    return this.#decode(this.#fields);
  }

  /** The encoded state as of an event, if it changed since the last call. */
  takeSnapshot(upTo: Seq): Payload | undefined {
    if (this.changes.take(upTo).length === 0) return undefined;
    const fields = new Map(this.#fields);
    for (const before of this.changes.left.toReversed())
      for (const [key, text] of before) {
        if (text === undefined) fields.delete(key);
        else fields.set(key, text);
      }
    return this.#codec.encode(this.#decode(fields));
  }

  /** Records several changes as one. */
  #record(changes: ReadonlyMap<string, Payload>): void {
    const value = this.#codec.encode(this.#decode(changes));
    this.#requireFit(changes);
    const asked = this.#log.askNow(["STATE_UPDATE"], "");
    const before = this.#apply(changes);
    if (asked.recorded !== undefined) return;
    this.changes.add(this.#log.record("STATE_UPDATE", asked.command, {}, { value }), before);
  }

  /** Answers what the fields were before. */
  #apply(changes: ReadonlyMap<string, Payload>): ReadonlyMap<string, Payload | undefined> {
    this.#size += this.#growth(changes);
    const before = new Map<string, Payload | undefined>();
    for (const [key, text] of changes) {
      before.set(key, this.#fields.get(key));
      this.#fields.set(key, text);
      this.#batch?.add(key);
    }
    return before;
  }

  /** Throws when the state with these changes could not be stored, or is refused by its schema. */
  #requireFit(changes: ReadonlyMap<string, Payload>): void {
    this.#check?.(this.#decode(new Map([...this.#fields, ...changes])));
    if (this.#size + this.#growth(changes) <= LARGE_STATE_CHARACTERS) return;
    this.#codec.encode(this.#decode(new Map([...this.#fields, ...changes])));
  }

  #growth(changes: ReadonlyMap<string, Payload>): number {
    let growth = 0;
    for (const [key, text] of changes) growth += text.length - (this.#fields.get(key)?.length ?? -key.length);
    return growth;
  }

  get #codec(): CommandLog["environment"]["codec"] {
    return this.#log.environment.codec;
  }

  #encode(fields: Fields): Map<string, Payload> {
    return new Map(
      Object.entries(fields).map(([key, value]) => [key, encodeAs(this.#codec, value, "state field", key)]),
    );
  }

  #decode(fields: ReadonlyMap<string, Payload>): Fields {
    return Object.fromEntries([...fields].map(([key, text]) => [key, this.#codec.decode(text)]));
  }
}

/** A promise has no fields: its change would be lost without a word. */
function requireFields(changed: unknown): Fields {
  if (
    typeof changed === "object" &&
    changed !== null &&
    !Array.isArray(changed) &&
    typeof (changed as { readonly then?: unknown }).then !== "function"
  )
    return changed as Fields;
  throw new UsageError(
    "invalid-argument",
    "The function of ctx.state.update must answer an object with the fields that change, at once. Return { field: value }; await before the call.",
  );
}
