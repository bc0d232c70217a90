import { generationsOf } from "../generations.ts";

/**
 * Where a call of an activity stands among all of its run: commands are numbered anew in each generation, so the text has the
 * generation's base first. It is the end of the call's key.
 */
export type CallId = `${number}-${number}`;

/** The call that an execution was for. */
export function callOfKey(key: string): CallId {
  return /\d+-\d+$/u.exec(key)![0] as CallId;
}

/** The events of a history that belong to a command, each with its call. */
export function callsOf<Event extends { readonly type: string; readonly seq: number; readonly command: number | null }>(
  history: readonly Event[],
): readonly { readonly call: CallId; readonly event: Event }[] {
  return generationsOf(history).flatMap((generation, index) => {
    const base = index === 0 ? 0 : generation[0]!.seq - 1;
    return generation.flatMap((event) =>
      event.command === null ? [] : [{ call: `${base}-${event.command}` as const, event }],
    );
  });
}

/** Whether the code asked for one call after it had asked for another. */
export function isLater(call: CallId, than: CallId): boolean {
  const [base, command] = call.split("-").map(Number) as [number, number];
  const [otherBase, otherCommand] = than.split("-").map(Number) as [number, number];
  return base === otherBase ? command > otherCommand : base > otherBase;
}
