import { Failure } from "../failure.ts";
import type { Expression, Parameters } from "./syntax.ts";

type Item = Readonly<Record<string, unknown>>;

/** Whether a condition holds: what is undefined does not. */
export function isTrue(condition: Expression, item: Item, parameters: Parameters): boolean {
  return evaluate(condition, item, parameters) === true;
}

export function evaluate(expression: Expression, item: Item, parameters: Parameters): unknown {
  const of = (inner: Expression): unknown => evaluate(inner, item, parameters);
  switch (expression.is) {
    case "value":
      return expression.value;
    case "parameter":
      if (!parameters.has(expression.name)) throw new Failure(400, `Parameter ${expression.name} is not given.`);
      return parameters.get(expression.name);
    case "path":
      return valueAt(item, expression.names);
    case "not": {
      const value = of(expression.of);
      return typeof value === "boolean" ? !value : undefined;
    }
    case "and":
      return of(expression.left) === true && of(expression.right) === true;
    case "or":
      return of(expression.left) === true || of(expression.right) === true;
    case "compare":
      return compare(of(expression.left), expression.by, of(expression.right));
    case "in": {
      const value = of(expression.of);
      return value === undefined ? undefined : expression.list.some((one) => of(one) === value);
    }
    case "call":
      return call(expression.name, expression.args.map(of));
    case "array":
      return expression.items.map((one) => of(one));
    case "object":
      return Object.fromEntries(
        expression.entries.map(([name, value]) => [name, of(value)]).filter(([, value]) => value !== undefined),
      );
    default:
      return expression satisfies never;
  }
}

export function valueAt(item: Item, names: readonly string[]): unknown {
  let value: unknown = item;
  for (const name of names) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Item)[name];
  }
  return value;
}

/** Values of different types are not comparable, but for being unequal. */
function compare(left: unknown, by: string, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (by === "=") return left === right;
  if (by === "!=") return left !== right;
  if (typeof left !== typeof right || left === null || right === null || typeof left === "object") return undefined;
  const order = compareValues(left, right);
  if (by === "<") return order < 0;
  if (by === "<=") return order <= 0;
  return by === ">" ? order > 0 : order >= 0;
}

const TYPES = ["undefined", "null", "boolean", "number", "string"];

/** The order of the index: by type, then by value. */
export function compareValues(a: unknown, b: unknown): number {
  const typeOf = (value: unknown): number => TYPES.indexOf(value === null ? "null" : typeof value);
  if (typeOf(a) !== typeOf(b)) return typeOf(a) - typeOf(b);
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
}

function call(name: string, args: readonly unknown[]): unknown {
  const [first, second] = args;
  switch (name) {
    case "IS_DEFINED":
      return first !== undefined;
    case "ARRAY_CONTAINS":
      return Array.isArray(first) ? first.includes(second) : undefined;
    case "STARTSWITH":
      return typeof first === "string" && typeof second === "string" ? first.startsWith(second) : undefined;
    default:
      throw new Failure(400, `'${name}' is not a recognized built-in function name.`);
  }
}
