import type { StateHandle } from "../define/context.ts";
import type { Payload } from "../model/payload.ts";
import type { CommandLog } from "./command-log.ts";

type Fields = Record<string, unknown>;

/** The run's state: rebuilt by the code itself in every replay; each change is recorded once. */
export class StateObject implements StateHandle<Fields> {
  /** Changed since {@link takeSnapshot}. */
  dirty = false;
  readonly #log: CommandLog;
  #fields: Fields = {};
  /** Changes gathered by `batch`, until it ends. */
  #batch: Fields | null = null;

  constructor(log: CommandLog) {
    this.#log = log;
  }

  initialize(initial: unknown): void {
    if (initial !== undefined) this.#fields = this.#copy(initial) as Fields;
  }

  get(): never;
  get(key: string): never;
  get(key?: string): unknown {
    return this.#copy(key === undefined ? this.#fields : this.#fields[key]);
  }

  set(key: string, value: unknown): void {
    if (this.#batch !== null) {
      this.#batch[key] = this.#fields[key] = this.#copy(value);
      return;
    }
    const { codec } = this.#log.environment;
    const encoded = codec.encode(value);
    const asked = this.#log.askNow(["STATE_SET"], key);
    this.#fields[key] = codec.decode(encoded);
    if (asked.recorded !== undefined) return;
    this.#log.record("STATE_SET", asked.command, { key }, { value: encoded });
    this.dirty = true;
  }

  update(change: (state: Fields) => Fields): void {
    this.#merge({ ...change(this.snapshot()) });
  }

  batch(changes: (state: StateHandle<Fields>) => void): void {
    if (this.#batch !== null) return changes(this);
    const before = this.#fields;
    const batch: Fields = {};
    this.#batch = batch;
    this.#fields = { ...before };
    try {
      changes(this);
    } catch (error) {
      this.#fields = before;
      throw error;
    } finally {
      this.#batch = null;
    }
    this.#merge(batch);
  }

  snapshot(): Fields {
    return this.#copy(this.#fields) as Fields;
  }

  /** The encoded state if it changed since the last call. */
  takeSnapshot(): Payload | undefined {
    if (!this.dirty) return undefined;
    this.dirty = false;
    return this.#log.environment.codec.encode(this.#fields);
  }

  #merge(patch: Fields): void {
    if (this.#batch !== null) {
      Object.assign(this.#batch, patch);
      Object.assign(this.#fields, this.#copy(patch));
      return;
    }
    const { codec } = this.#log.environment;
    const value = codec.encode(patch);
    const asked = this.#log.askNow(["STATE_UPDATE"], "");
    this.#fields = { ...this.#fields, ...(codec.decode(value) as Fields) };
    if (asked.recorded !== undefined) return;
    this.#log.record("STATE_UPDATE", asked.command, {}, { value });
    this.dirty = true;
  }

  #copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const { codec } = this.#log.environment;
    return codec.decode(codec.encode(value));
  }
}
