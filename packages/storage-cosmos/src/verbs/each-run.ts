/** How many runs of a batch are worked on at once. */
const AT_ONCE = 64;

/** Does the elements of each run together and in order, several runs at once. Results stand in the order of the elements. */
export async function eachRun<E, R>(
  elements: readonly E[],
  runIdOf: (element: E) => string,
  work: (elements: readonly E[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const byRun = new Map<string, number[]>();
  for (const [index, element] of elements.entries()) {
    const same = byRun.get(runIdOf(element));
    if (same === undefined) byRun.set(runIdOf(element), [index]);
    else same.push(index);
  }
  const results: R[] = Array.from({ length: elements.length });
  await inParallel([...byRun.values()], AT_ONCE, async (indexes) => {
    const answers = await work(indexes.map((index) => elements[index]!));
    for (const [at, index] of indexes.entries()) results[index] = answers[at]!;
  });
  return results;
}

/** Does something for each, at most so many at once. All have ended when it resolves or rejects. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const failed: unknown[] = [];
  const one = async (): Promise<void> => {
    for (const item of rest) {
      try {
        await work(item);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, one));
  if (failed.length > 0) throw failed[0];
}
