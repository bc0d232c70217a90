import { StorageError } from "@perdure/core/storage";

type Code = ConstructorParameters<typeof StorageError>[0];

/** What an error means that the server did not send: known by its code or by how its message begins. */
export type Meaning = readonly [pattern: RegExp, code: Code, says: string];

/** In a sentence, where the words of the error come in. */
export const WORDS = "%";

/** A sentence with the words of an error. Servers quote names of users and of the database, never a password. */
export function inWords(says: string, { message }: Error): string {
  return says.replace(WORDS, () => message.replace(/\.$/u, ""));
}

/** An error of a driver as one of ours, by its code or else by its message; undefined for one that has no meaning. */
export function connectionErrorOf(
  error: Error,
  codes: readonly Meaning[],
  messages: readonly Meaning[],
): StorageError | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  const found =
    codes.find(([pattern]) => typeof code === "string" && pattern.test(code)) ??
    messages.find(([pattern]) => pattern.test(message));
  if (found === undefined) return undefined;
  const [, meaning, says] = found;
  return new StorageError(meaning, inWords(says, error), { cause: error, details: code === undefined ? {} : { code } });
}
