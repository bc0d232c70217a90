import { isFailure } from "../model/failure.ts";
import { failureToError } from "../model/failure-to-error.ts";
import { toFailure } from "../model/to-failure.ts";

/**
 * A class whose instances JSON cannot hold. They stand in the text as `{"$": tag, "v": packed}`; what `pack` answers is
 * tagged in its turn, so it may hold any values.
 */
interface SpecialType<T> {
  readonly tag: string;
  pack(value: T): unknown;
  /** The reverse. Throws if `packed` is nothing that `pack` makes. */
  unpack(packed: unknown): T;
}

const date: SpecialType<Date> = {
  tag: "Date",
  pack(value) {
    const ms = value.getTime();
    return Number.isNaN(ms) ? null : ms;
  },
  unpack(packed) {
    expect(packed === null || (Number.isInteger(packed) && Math.abs(packed as number) <= 8.64e15));
    return new Date((packed as number | null) ?? Number.NaN);
  },
};

const map: SpecialType<ReadonlyMap<unknown, unknown>> = {
  tag: "Map",
  pack: (value) => Array.from(value),
  unpack(packed) {
    expect(Array.isArray(packed) && packed.every((entry) => Array.isArray(entry) && entry.length === 2));
    return new Map(packed as [unknown, unknown][]);
  },
};

const set: SpecialType<ReadonlySet<unknown>> = {
  tag: "Set",
  pack: (value) => Array.from(value),
  unpack(packed) {
    expect(Array.isArray(packed));
    return new Set(packed as unknown[]);
  },
};

const bytes: SpecialType<Uint8Array> = {
  tag: "Uint8Array",
  pack: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"),
  unpack(packed) {
    expect(typeof packed === "string");
    const buffer = Buffer.from(packed, "base64");
    expect(buffer.toString("base64") === packed);
    return new Uint8Array(buffer);
  },
};

const url: SpecialType<URL> = {
  tag: "URL",
  pack: (value) => value.href,
  unpack(packed) {
    expect(typeof packed === "string");
    return new URL(packed);
  },
};

/** Any Error: its class is not kept; name, message, stack, code, details and cause are. */
const error: SpecialType<Error> = {
  tag: "Error",
  pack: (value) => toFailure(value),
  unpack(packed) {
    expect(isFailure(packed));
    return failureToError(packed);
  },
};

const bigint: SpecialType<bigint> = {
  tag: "BigInt",
  pack: String,
  unpack(packed) {
    expect(typeof packed === "string" && /^(?:0|-?[1-9]\d*)$/.test(packed));
    return BigInt(packed);
  },
};

/** The numbers that JSON has no text for. */
const number: SpecialType<number> = {
  tag: "Number",
  pack: (value) => (Object.is(value, -0) ? "-0" : String(value)),
  unpack(packed) {
    expect(packed === "NaN" || packed === "Infinity" || packed === "-Infinity" || packed === "-0");
    return Number(packed);
  },
};

/** Packs of primitive values. */
export const specialPrimitives = { bigint, number } as const;

// What a type packs is found by its own prototype or tag, so the types of different rows never meet.
const byPrototype = new Map<object | null, SpecialType<unknown>>([
  [Date.prototype, date],
  [Map.prototype, map],
  [Set.prototype, set],
  [Uint8Array.prototype, bytes],
  [URL.prototype, url],
]);

const byTag: ReadonlyMap<unknown, SpecialType<unknown>> = new Map(
  [date, map, set, bytes, url, error, bigint, number].map((type) => [type.tag, type]),
);

/** How to pack an object with this prototype; `undefined` if there is no way. Subclasses have none, except of Error. */
export function specialTypeOf(value: object, prototype: object | null): SpecialType<unknown> | undefined {
  return byPrototype.get(prototype) ?? (value instanceof Error ? error : undefined);
}

/** How to unpack what stands under a tag; `undefined` for an unknown tag. */
export function specialTypeByTag(tag: unknown): SpecialType<unknown> | undefined {
  return byTag.get(tag);
}

function expect(condition: boolean): asserts condition {
  if (!condition) throw new TypeError("unexpected content under a tag");
}
