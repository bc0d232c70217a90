/** The types of events, each with the command that it belongs to. */
export function typesOf(
  events: readonly { readonly type: string; readonly command: number | null }[],
): readonly string[] {
  return events.map(({ type, command }) => (command === null ? type : `${type} ${command}`));
}

/** Those of a run's history. */
export async function types(run: { history(): Promise<Parameters<typeof typesOf>[0]> }): Promise<readonly string[]> {
  return typesOf(await run.history());
}
