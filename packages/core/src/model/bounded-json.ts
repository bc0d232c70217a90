const maxDepth = 4;
const maxNodes = 100;
const maxKey = 64;
const maxText = 512;
const maxCharacters = 4_096;

/** What is left to spend. */
interface Budget {
  nodes: number;
  characters: number;
}

/**
 * A copy of anything as plain JSON, of bounded size: 4 levels, 100 values, 512 characters in one text, about 4,096 in all.
 * What cannot be read or has no JSON form is replaced by a short text, what does not fit is left out.
 * Never throws; a copy of the copy is equal to it.
 */
export function boundedJson(value: unknown): unknown {
  return copy(value, 1, { nodes: maxNodes, characters: maxCharacters });
}

/** The first `length` characters of a text, without half a surrogate pair; a cut one ends in `…`. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = length - 1;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return `${text.slice(0, splitsPair ? end - 1 : end)}…`;
}

function copy(value: unknown, depth: number, budget: Budget): unknown {
  budget.nodes -= 1;
  switch (typeof value) {
    case "string":
      return spend(value, maxText, budget);
    case "number":
      return Number.isFinite(value) ? value + 0 : String(value);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : copyObject(value, depth, budget);
    case "function":
      return "[function]";
    case "undefined":
    case "bigint":
    case "symbol":
      break;
  }
  return spend(String(value), maxText, budget);
}

function copyObject(value: object, depth: number, budget: Budget): unknown {
  if (depth > maxDepth) return "[…]";
  try {
    if (Array.isArray(value)) return copyArray(value, depth, budget);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Error) return spend(`${value.name}: ${value.message}`, maxText, budget);
    return copyRecord(value as Record<string, unknown>, depth, budget);
  } catch {
    return "[unreadable]";
  }
}

function copyArray(value: readonly unknown[], depth: number, budget: Budget): unknown[] {
  const result: unknown[] = [];
  for (let i = 0; i < value.length && !isSpent(budget); i++) result.push(copy(value[i], depth + 1, budget));
  return result;
}

function copyRecord(value: Record<string, unknown>, depth: number, budget: Budget): object {
  const result = {};
  for (const key of Object.keys(value)) {
    if (isSpent(budget)) break;
    const item = read(value, key);
    if (item === undefined) continue;
    // Not an assignment: a key `__proto__` must stay a key.
    Object.defineProperty(result, spend(key, maxKey, budget), {
      value: copy(item, depth + 1, budget),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

function spend(text: string, limit: number, budget: Budget): string {
  const cut = cutText(text, Math.max(1, Math.min(limit, budget.characters)));
  budget.characters -= cut.length;
  return cut;
}

function isSpent(budget: Budget): boolean {
  return budget.nodes <= 0 || budget.characters <= 0;
}

function read(value: Record<string, unknown>, key: string): unknown {
  try {
    return value[key];
  } catch {
    return "[unreadable]";
  }
}
