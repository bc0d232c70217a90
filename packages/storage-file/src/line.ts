import { crc32 } from "node:zlib";
import type { Change, Millis } from "@perdure/core/storage";

// A line is a checksum of eight hexadecimal digits, a blank, and JSON. So a person can read it, and no flipped bit stays unseen.

/** The first line of a file: what it is, and by which rules it was written. */
export interface Header {
  readonly perdure: "journal" | "snapshot";
  readonly version: number;
  readonly no: number;
}

/** A change of one run, or of one cache entry. */
export type ChangeLine = { readonly ns: string; readonly at: Millis } & Change;

/** The end of a group of lines: only with it the lines count. */
export interface GroupEnd {
  /** Number of the group in its file, from 1. */
  readonly group: number;
  /** Where its first line begins. */
  readonly from: number;
  /** What each of its lines is about, as {@link markOf} tells: whose line was damaged is known from here. */
  readonly marks: readonly string[];
  /** The journal goes on in the one with this number. */
  readonly next?: number;
  /** It is the last group of a snapshot. */
  readonly last?: true;
}

const BLANK = 0x20;
const CHECKSUM = 8;

/** A line without its line break. */
export function encodeLine(line: Header | ChangeLine | GroupEnd): string {
  const text = JSON.stringify(line);
  return `${checksumOf(text)} ${text}`;
}

/** What stands between two places; undefined if it is not what was written. */
export function decodeLine(bytes: Buffer, from: number, to: number): Header | ChangeLine | GroupEnd | undefined {
  const start = from + CHECKSUM + 1;
  if (start >= to || bytes[start - 1] !== BLANK) return undefined;
  const checksum = bytes.toString("latin1", from, from + CHECKSUM);
  if (checksum !== checksumOf(bytes.subarray(start, to))) return undefined;
  return JSON.parse(bytes.toString("utf8", start, to)) as Header | ChangeLine | GroupEnd;
}

/** Whether text may be the beginning of a line, or blanks that a look for room has left. */
export function isBeginning(text: string): boolean {
  return /^ *$|^[0-9a-f]{0,8}$|^[0-9a-f]{8} (?:$|\{)/u.test(text);
}

export function checksumOf(data: string | Buffer): string {
  return crc32(data).toString(16).padStart(CHECKSUM, "0");
}
