/**
 * Text that a codec made of one value; opaque to storage, which keeps it byte for byte.
 * Holds neither NUL nor lone surrogates, so every backend can store it as UTF-8 text.
 */
export type Payload = string;
