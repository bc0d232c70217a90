/** Bytes of JSON of a text that stays in the document that uses it. */
export const INLINE = 16_000;

/** Where a document has many texts. */
export const INLINE_OF_MANY = 500;
