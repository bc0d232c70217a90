/** The part of a namespace that all of one case have in common: what belongs into one store. */
export function caseOf(namespace: string): string {
  return namespace.split("_", 1)[0]!;
}
