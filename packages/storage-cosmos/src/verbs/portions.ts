/** Elements of one batch: each may create two documents, and head and tasks need some room. */
const MOST = 30;
/** Characters of their texts. */
const MOST_TEXT = 4_000_000;

/** Elements for one run, in parts that fit into a batch each. */
export function portions<E>(elements: readonly E[], sizeOf: (element: E) => number): readonly (readonly E[])[] {
  const parts: E[][] = [];
  let size = Infinity;
  for (const element of elements) {
    size += sizeOf(element);
    if (size > MOST_TEXT || parts.at(-1)!.length === MOST) {
      parts.push([]);
      size = sizeOf(element);
    }
    parts.at(-1)!.push(element);
  }
  return parts;
}
