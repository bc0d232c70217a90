const identifier = /^[A-Za-z_$][\w$]*$/;

/** A place inside a value as JavaScript would write it: `$.items[3].callback`, `$["a b"]`; the value itself is `$`. */
export function formatPath(keys: readonly PropertyKey[], root = "$"): string {
  return root + keys.map(formatKey).join("");
}

function formatKey(key: PropertyKey): string {
  if (typeof key === "string" && identifier.test(key)) return `.${key}`;
  return `[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`;
}
