import { type StorageError, UsageError } from "@perdure/core/storage";
import { describe, expect, test } from "vitest";

type Code = StorageError["code"];

/** As drivers make them that could not ask the server. */
export function failed(code: string, message = "connect failed"): Error {
  return Object.assign(new Error(message), { code });
}

/** What an adapter makes of its server's errors, which are known by a key. */
export interface ServerErrors<Key extends string | number> {
  storageErrorOf(error: unknown): StorageError | undefined;
  /** An error as the driver makes it. */
  said(key: Key, message?: string): Error;
  /** Where the details have the key. */
  readonly detail: string;
  /** Errors, ours, and a part of its message. */
  readonly meanings: readonly (readonly [key: Key, ours: Code, says: string])[];
  /** That the user has no right. */
  readonly denied: Key;
  /** What goes wrong before the server can say anything. */
  readonly failures: readonly (readonly [cause: Error, ours: Code])[];
}

export function describeServerErrors<Key extends string | number>(errors: ServerErrors<Key>): void {
  const { storageErrorOf, said, detail, meanings, denied, failures } = errors;

  describe("what the server says is an error of ours, with its own as the cause (I29)", () => {
    test.each(meanings)("%s: %s", (key, ours, says) => {
      const cause = said(key);
      const error = storageErrorOf(cause)!;
      expect(error).toMatchObject({ code: ours, details: { [detail]: key }, cause });
      expect(error.message).toContain(says);
      expect(error.retryable).toBe(ours === "unavailable");
      expect(error.message).toMatch(/^[^%]*[.?]$/u);
    });

    test("its words stand in the sentence as they are", () => {
      const error = storageErrorOf(said(denied, "no right to '$&'@'%' and $1 %s."))!;
      expect(error.message).toContain("needs: no right to '$&'@'%' and $1 %s. To set up");
    });
  });

  describe("what goes wrong before the server can say anything (I29)", () => {
    test.each(failures)("%s", (cause, ours) => {
      const error = storageErrorOf(cause)!;
      expect(error.code).toBe(ours);
      expect(error.message).toMatch(/^[^%]*\.$/u);
    });

    test("the driver's code is among the details", () => {
      expect(storageErrorOf(failed("ECONNREFUSED"))).toMatchObject({ details: { code: "ECONNREFUSED" } });
    });

    test("what is not the database's stays as it is", () => {
      for (const other of [
        new TypeError("x is not a function"),
        new UsageError("unsupported", "No."),
        "text",
        undefined,
      ])
        expect(storageErrorOf(other)).toBeUndefined();
    });
  });
}
