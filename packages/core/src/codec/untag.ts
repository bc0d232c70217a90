import { specialTypeByTag } from "./special-types.ts";

/**
 * Reverses the tags in what JSON.parse made, in place. Throws any error for tags that are unknown or hold something
 * unexpected, and for more than `maxDepth` levels (counted as the Tagger counts them).
 */
export function untag(value: unknown, maxDepth: number): unknown {
  return untagValue(value, 0, maxDepth);
}

function untagValue(value: unknown, depth: number, maxDepth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) throw new RangeError("too deep");
  if (!Array.isArray(value) && Object.hasOwn(value, "$")) {
    return untagTagged(value as { readonly $: unknown; readonly v?: unknown }, depth, maxDepth);
  }
  return untagContent(value, depth, maxDepth);
}

function untagContent(value: object, depth: number, maxDepth: number): object {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = untagValue(value[i], depth + 1, maxDepth);
    return value;
  }
  // JSON.parse has made every key, `__proto__` too, an own property: assigning cannot reach a prototype.
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) object[key] = untagValue(object[key], depth + 1, maxDepth);
  return object;
}

function untagTagged(tagged: { readonly $: unknown; readonly v?: unknown }, depth: number, maxDepth: number): unknown {
  const hasValue = Object.hasOwn(tagged, "v");
  if (Object.keys(tagged).length !== (hasValue ? 2 : 1)) throw new TypeError("unexpected key beside a tag");
  if (tagged.$ === "undefined" && !hasValue) return undefined;
  if (tagged.$ === "Object" && hasValue) return untagUserObject(tagged.v, depth, maxDepth);
  const type = hasValue ? specialTypeByTag(tagged.$) : undefined;
  if (type === undefined) throw new TypeError("unknown tag");
  return type.unpack(untagValue(tagged.v, depth, maxDepth));
}

/** An object of the user's that has a key `$`. */
function untagUserObject(value: unknown, depth: number, maxDepth: number): object {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "$"))
    throw new TypeError("unexpected content");
  return untagContent(value, depth, maxDepth);
}
