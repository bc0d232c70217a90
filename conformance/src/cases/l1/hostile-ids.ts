/** Groups of ids that some store would take for one. */
export const ALIKE: readonly (readonly string[])[] = [
  ["order", "Order", "ORDER", "order ", " order", "order\t", "order\n"],
  ["straße", "strasse", "STRASSE", "strase"],
  ["\u00e9", "e\u0301", "e", "E\u0301"],
  ["i", "I", "\u0131", "\u0130"],
  ["1", "01", "1.0", "１", "1 "],
  ["\u200b", "\u00a0", "\ufeff", "\u00ad"],
];

/** Ids that some store would choke on, or take for something else. */
export const HOSTILE: readonly string[] = [
  "/",
  "a/b",
  "../../etc/passwd",
  "..",
  ".",
  "a\\b",
  "C:\\con",
  "a:b",
  "{a}",
  "{}:{}",
  "*",
  "a*",
  "%",
  "%2e%2e%2f",
  "_",
  "a?b=c&d",
  "#",
  "a b",
  "'; DROP TABLE runs; --",
  '"',
  "`",
  "$1",
  "\\u0041",
  "line\nbreak",
  "tab\tbreak",
  "\u001b[31mred",
  "\u0001",
  "😀",
  "👩‍👩‍👧‍👦",
  "\u202eright to left",
  "日本語",
  "null",
  "undefined",
  "__proto__",
  "constructor",
  "toString",
  "0",
  "-0",
  "[object Object]",
  "a,b",
  "a|b",
  "a;b",
  "~",
  "!",
];

/** 255 UTF-8 bytes. */
export const LONGEST: string = `${"ä".repeat(125)}-€x`;

/** Ids that no store has to take: each is refused as invalid-argument. */
export const UNSTORABLE: readonly string[] = ["", "x".repeat(256), "ä".repeat(128), "a\0b", "\ud800", "a\udfffb"];
