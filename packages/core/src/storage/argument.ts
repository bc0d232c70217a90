import { maxInstant } from "../model/instant.ts";
import { UsageError } from "../errors/usage-error.ts";
import type { Limits } from "./info.ts";

const INCARNATION = /^[0-9A-Za-z_-]{16,64}$/u;

/** Refuses a malformed argument. `field` names it in the caller's terms. */
export function refuse(field: string, rule: string): never {
  throw new UsageError("invalid-argument", `${field} must be ${rule}. Correct the argument: nothing was written.`, {
    details: { field },
  });
}

/** Whether every database can hold it as text: no NUL and no half of a surrogate pair. */
function isStorable(text: string): boolean {
  // ES2024, and in every Node that we run on.
  return (text as string & { isWellFormed(): boolean }).isWellFormed() && !text.includes("\0");
}

/** UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** Whether a text is at most so many UTF-8 bytes; counts them only when its length leaves that open. */
function fits(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return true;
  return text.length <= maxBytes && utf8Bytes(text) <= maxBytes;
}

/** A text of `minBytes` … `maxBytes` UTF-8 bytes without NUL and lone surrogates (I22). */
export function checkText(value: string, field: string, minBytes: number, maxBytes: number): void {
  if (typeof value !== "string" || value.length < minBytes || !fits(value, maxBytes)) {
    refuse(field, `a text of ${minBytes} … ${maxBytes} UTF-8 bytes`);
  }
  if (!isStorable(value)) refuse(field, "free of NUL and of lone surrogates");
}

/** An id or a name: 1 … 255 UTF-8 bytes. */
export function checkId(value: string, field: string): void {
  checkText(value, field, 1, 255);
}

export function checkIncarnation(value: string, field: string): void {
  if (typeof value !== "string" || !INCARNATION.test(value)) refuse(field, "16 … 64 characters of 0-9 A-Z a-z _ -");
}

export function checkWhole(value: number, field: string, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    refuse(field, max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number, ${min} … ${max}`);
  }
}

/** A moment in whole epoch milliseconds, up to the end of the year 9999. */
export function checkInstant(value: number, field: string): void {
  checkWhole(value, field, 0, maxInstant);
}

export function checkInstantOrNull(value: number | null, field: string): void {
  if (value !== null) checkInstant(value, field);
}

/**
 * A payload: any text that every store can hold (I23).
 * @throws UsageError `payload-too-large` over `maxBytes` UTF-8 bytes; `invalid-argument` for NUL or a lone surrogate.
 */
export function checkPayload(value: string, field: string, maxBytes: number): void {
  if (typeof value !== "string") refuse(field, "a text");
  if (!fits(value, maxBytes)) {
    throw new UsageError(
      "payload-too-large",
      `${field} has ${utf8Bytes(value)} bytes, and this storage takes at most ${maxBytes} in one payload. ` +
        "Keep large data elsewhere and pass a reference.",
      { details: { field, maxBytes } },
    );
  }
  if (!isStorable(value)) refuse(field, "free of NUL and of lone surrogates");
}

export function checkPayloadOrNull(value: string | null, field: string, maxBytes: number): void {
  if (value !== null) checkPayload(value, field, maxBytes);
}

/** One of a closed set of words. */
export function checkWord(value: string, field: string, words: readonly string[]): void {
  if (!words.includes(value)) refuse(field, `one of ${words.join(", ")}`);
}

export function checkList(value: readonly unknown[], field: string, maxLength: number): void {
  if (!Array.isArray(value) || value.length > maxLength) refuse(field, `a list of at most ${maxLength}`);
}

/** @throws UsageError `invalid-argument` for a batch of more elements than the backend takes. */
export function checkBatch(count: number, limits: Limits): void {
  if (count > limits.batch) refuse("The batch", `of at most ${limits.batch} elements, not ${count}`);
}
