/** A history in the pieces that continue-as-new divides it into: each numbers its commands anew. */
export function generationsOf<Event extends { readonly type: string }>(
  history: readonly Event[],
): readonly (readonly Event[])[] {
  const generations: Event[][] = [[]];
  for (const event of history) {
    if (event.type === "WORKFLOW_CONTINUED_AS_NEW") generations.push([]);
    generations.at(-1)!.push(event);
  }
  return generations;
}
