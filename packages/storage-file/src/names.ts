// Names of the files in a store's folder. No id of a user is ever part of a path.

export const LOCK = "lock";

export type Kind = "journal" | "snapshot";

/** `journal-000012.log` holds what was written after `snapshot-000012.log`, which holds all that was written before. */
export function nameOf(kind: Kind, no: number): string {
  return `${kind}-${String(no).padStart(6, "0")}.log`;
}

/** Numbers of the files of one kind, in ascending order. */
export function numbersOf(kind: Kind, names: readonly string[]): readonly number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const [, found, no] = /^(journal|snapshot)-(\d{6,})\.log$/u.exec(name) ?? [];
    if (found === kind) numbers.push(Number(no));
  }
  return numbers.toSorted((a, b) => a - b);
}

/** How names of files end that are not whole yet. */
export const UNFINISHED = ".tmp";
