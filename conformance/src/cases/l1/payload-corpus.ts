/** Texts that codecs make, or might make, and that some store would change. */
export const CORPUS: Readonly<Record<string, { readonly text: string; readonly why: string }>> = {
  empty: { text: "", why: "Some databases take an empty text for null." },
  "nul-escape": {
    text: '{"bytes":"a\\u0000b"}',
    why: "PostgreSQL's jsonb refuses this escape: a result that was computed would be lost.",
  },
  "surrogate-escape": { text: '"\\ud800 \\udfff \\ud83d"', why: "A parser on the way replaces lone surrogates." },
  proto: {
    text: '{"__proto__":{"admin":true},"constructor":1}',
    why: "A merge on the way drops or executes this key.",
  },
  "big-numbers": {
    text: "[9007199254740993,1e400,-0,0.1,1.0,123456789012345678901234567890]",
    why: "A parser on the way rounds numbers.",
  },
  whitespace: { text: ' { "b" : 1 ,\n\t"a" : 2 }\r\n', why: "A document store reorders keys and drops blanks." },
  "duplicate-keys": { text: '{"a":1,"a":2}', why: "A parser on the way keeps one of them." },
  "not-json": { text: "{not json: <xml/> %s ' \" \\", why: "A codec may encrypt: storage must not parse." },
  unicode: {
    text: '"😀 👩‍👩‍👧‍👦 e\u0301 é \u2028\u2029\ufeff\u200b ÿ 日本語 \u202e"',
    why: "A three-byte character set cuts emoji, a normalisation changes accents.",
  },
  "control-characters": {
    text: '"\u0001\u0008\u001b[31m\u007f\u0085"',
    why: "A terminal or a protocol on the way eats them.",
  },
  quotes: {
    text: "'; DROP TABLE runs; -- \" ` $1 ? :a @b \\' \\\\ %s {0}",
    why: "Text that is not bound becomes a statement.",
  },
  "line-ends": {
    text: "a\r\nb\nc\rd\n\n",
    why: "A file opened as text changes line ends; trimming drops the last ones.",
  },
  deep: { text: "[".repeat(5_000) + "]".repeat(5_000), why: "A parser on the way overflows its stack." },
  words: { text: "null", why: "A word of the language comes back as its value." },
  "hundred-kibibytes": { text: JSON.stringify("ü".repeat(51_200)), why: "A column or a row of limited size cuts it." },
};
