import { UsageError } from "../errors/usage-error.ts";
import { formatPath } from "../model/path.ts";
import { type CodecLimits, payloadTooLarge } from "./limits.ts";
import { specialPrimitives, specialTypeOf } from "./special-types.ts";

const taggedUndefined = Object.freeze({ $: "undefined" });

type PlainObject = Record<string, unknown>;

/**
 * Writes one value as JSON in which what JSON lacks is tagged. Walks the value once and copies only where something must be
 * tagged: a plain value goes to JSON.stringify as it is. One instance serves one value.
 */
export class Tagger {
  readonly #limits: CodecLimits;
  readonly #sortKeys: boolean;
  /** The path to what is read now: `#keys[0…#last]`; what stands behind `#last` is left over from finished branches. */
  readonly #keys: (string | number)[] = [];
  #last = -1;
  /** The objects on that path, by depth. */
  readonly #ancestors: object[] = [];
  /** A lower bound of the text's length, so that a value which shares objects a million times ends early. */
  #size = 0;
  #refusal: UsageError | undefined;

  constructor(limits: CodecLimits, sortKeys = false) {
    this.#limits = limits;
    this.#sortKeys = sortKeys;
  }

  /** @throws UsageError `not-serializable` or `payload-too-large` */
  text(value: unknown): string {
    try {
      return JSON.stringify(this.#tag(value, 0));
    } catch (error) {
      if (this.#refusal !== undefined && error === this.#refusal) throw error;
      // An accessor, a proxy, or an object that only pretends to be a Date.
      return this.#refuse("something that throws an error when it is read", error);
    }
  }

  #tag(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
        this.#size += value.length + 2;
        return value;
      case "number":
        this.#size += 1;
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return { $: specialPrimitives.number.tag, v: specialPrimitives.number.pack(value) };
      case "boolean":
        this.#size += 4;
        return value;
      case "undefined":
        this.#size += 17;
        return taggedUndefined;
      case "object":
        return value === null ? null : this.#tagObject(value, value, depth);
      case "bigint":
        return { $: specialPrimitives.bigint.tag, v: this.#tag(specialPrimitives.bigint.pack(value), depth) };
      case "function":
      case "symbol":
        break;
    }
    return this.#refuse(`a ${typeof value}`);
  }

  /** @param identity the user's object that `value` is, or was packed from */
  #tagObject(value: object, identity: object, depth: number): unknown {
    if (depth >= this.#limits.maxDepth) this.#refuseDepth(identity, depth);
    if (this.#size > this.#limits.maxBytes) this.#refuseSize(this.#size);
    this.#ancestors[depth] = identity;
    this.#size += 2;
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype || prototype === null) return this.#tagPlainObject(value as PlainObject, depth);
    if (prototype === Array.prototype && Array.isArray(value)) return this.#tagArray(value as unknown[], depth);

    const special = specialTypeOf(value, prototype);
    if (special === undefined) return this.#refuse(describeInstance(value));
    if (ArrayBuffer.isView(value) && value.byteLength > this.#limits.maxBytes) this.#refuseSize(value.byteLength);
    const packed = special.pack(value);
    const isObject = typeof packed === "object" && packed !== null;
    return { $: special.tag, v: isObject ? this.#tagObject(packed, identity, depth) : this.#tag(packed, depth) };
  }

  #tagArray(array: readonly unknown[], depth: number): readonly unknown[] {
    // JSON.stringify would call a toJSON that the array has been given.
    let copy = "toJSON" in array ? array.slice() : undefined;
    for (let i = 0; i < array.length; i++) {
      this.#keys[depth] = i;
      this.#last = depth;
      const item = array[i];
      if (item === undefined && !Object.hasOwn(array, i)) this.#refuse("a hole in an array");
      const tagged = this.#tag(item, depth + 1);
      if (tagged === item) continue;
      copy ??= array.slice();
      copy[i] = tagged;
    }
    return copy ?? array;
  }

  #tagPlainObject(object: PlainObject, depth: number): unknown {
    const keys = Object.keys(object);
    if (Object.getOwnPropertySymbols(object).length > 0) this.#refuseSymbols(object);
    if (this.#sortKeys) keys.sort();
    // A toJSON that is not listed among the keys would be called by JSON.stringify.
    let copy: PlainObject | undefined = this.#sortKeys || typeof object["toJSON"] === "function" ? {} : undefined;
    for (const key of keys) {
      this.#keys[depth] = key;
      this.#last = depth;
      this.#size += key.length + 3;
      const item = object[key];
      const tagged = this.#tag(item, depth + 1);
      if (tagged === item && copy === undefined) continue;
      copy ??= copyUntil(object, keys, key);
      setOwn(copy, key, tagged);
    }
    const result = copy ?? object;
    return keys.includes("$") ? { $: "Object", v: result } : result;
  }

  #refuseSymbols(object: object): void {
    if (
      Object.getOwnPropertySymbols(object).some((symbol) => Object.getOwnPropertyDescriptor(object, symbol)?.enumerable)
    ) {
      this.#refuse("an object with a symbol as a key");
    }
  }

  #refuseDepth(identity: object, depth: number): never {
    const path = [...this.#ancestors.slice(0, depth), identity];
    const again = path.findIndex((object, i) => path.indexOf(object) < i);
    if (again === -1) return this.#refuse(`nested deeper than ${this.#limits.maxDepth} levels`);
    const first = path.indexOf(path[again] as object);
    this.#last = again - 1;
    return this.#refuse(`a reference back to ${formatPath(this.#keys.slice(0, first))}`);
  }

  #refuseSize(size: number): never {
    this.#refusal = payloadTooLarge(size, this.#limits.maxBytes);
    throw this.#refusal;
  }

  #refuse(reason: string, cause?: unknown): never {
    const path = formatPath(this.#keys.slice(0, this.#last + 1));
    this.#refusal = new UsageError(
      "not-serializable",
      `The value cannot be stored: ${path} is ${reason}. Pass plain objects and arrays, text, numbers, booleans, null, ` +
        "undefined, bigint, Date, Map, Set, Uint8Array, URL and Error, or convert it first.",
      { details: { path, reason }, ...(cause !== undefined && { cause }) },
    );
    throw this.#refusal;
  }
}

/** A new object with those properties that come before `end`. */
function copyUntil(object: PlainObject, keys: readonly string[], end: string): PlainObject {
  const copy: PlainObject = {};
  for (const key of keys) {
    if (key === end) break;
    setOwn(copy, key, object[key]);
  }
  return copy;
}

/** Not a bare assignment: a key `__proto__` must stay a key. */
function setOwn(object: PlainObject, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function describeInstance(value: object): string {
  const constructor: unknown = value.constructor;
  const name = typeof constructor === "function" ? constructor.name : "";
  return name === "" ? "an object with a prototype of its own" : `an instance of ${name}`;
}
