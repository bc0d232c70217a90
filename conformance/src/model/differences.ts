/** Where two answers differ, as paths to their members; nothing if they do not. */
export function differences(actual: unknown, expected: unknown): string {
  return paths(actual, expected)
    .map((path) => `answer${path}`)
    .join(", ");
}

function paths(actual: unknown, expected: unknown): readonly string[] {
  if (!isObject(actual) || !isObject(expected)) return Object.is(actual, expected) ? [] : [""];
  const keys = [...new Set([...Object.keys(actual), ...Object.keys(expected)])];
  return keys.flatMap((key) => {
    const step = Array.isArray(expected) ? `[${key}]` : `.${key}`;
    return paths(actual[key], expected[key]).map((rest) => `${step}${rest}`);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
