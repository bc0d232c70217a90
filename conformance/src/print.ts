import { inspect } from "node:util";

/** A value in few words: long texts and lists are cut, errors are what they say. */
export function print(value: unknown): string {
  const short = { depth: 8, maxStringLength: 160, maxArrayLength: 12, breakLength: Infinity, compact: true };
  return inspect(inWords(value), short);
}

/** An error in one line, also where something else was thrown. */
export function printError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : print(error);
  const { name, message, code } = error as Error & { readonly code?: unknown };
  return `${name}${typeof code === "string" ? ` (${code})` : ""}: ${message}`;
}

function inWords(value: unknown, depth = 8): unknown {
  if (value instanceof Error) return { [inspect.custom]: () => printError(value) };
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => inWords(one, depth - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype || inspect.custom in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inWords(member, depth - 1)]));
}
