import { StorageError } from "../errors/index.ts";
import type { Payload } from "../model/payload.ts";
import type { Codec } from "./codec.ts";

/** Fields of events and messages that hold the user's values. All others are plain JSON. */
const VALUE_FIELDS = ["input", "output", "payload", "value", "failure", "state"] as const;

/** Encoded values by field; an absent one is left out. */
export type SealedValues = Partial<Readonly<Record<(typeof VALUE_FIELDS)[number], Payload | undefined>>>;

/**
 * Makes the text of an event or a message from plain fields and values that the codec has encoded already: nothing is encoded
 * twice. Where the codec's text is JSON it stands in the text as it is, so that people can read it in the database; that of an
 * encrypting codec stands there as a string.
 */
export function sealData(codec: Codec, plain: object, values?: SealedValues): Payload {
  let text = JSON.stringify(plain);
  if (values === undefined) return text;
  text = text.slice(0, -1);
  for (const field of VALUE_FIELDS) {
    const value = values[field];
    if (value === undefined) continue;
    text += `${text === "{" ? "" : ","}"${field}":${codec.json === true ? value : JSON.stringify(value)}`;
  }
  return `${text}}`;
}

/**
 * Reads what {@link sealData} made, with all values decoded.
 * @throws StorageError `corrupt`
 */
export function openData(codec: Codec, data: Payload): object {
  if (codec.json === true) return codec.decode(data) as object;
  const fields = parse(data);
  for (const field of VALUE_FIELDS) {
    const value = fields[field];
    if (typeof value === "string") fields[field] = codec.decode(value);
  }
  return fields;
}

function parse(data: Payload): Record<string, unknown> {
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch {
    // The parser's own error would quote the user's data.
    throw new StorageError(
      "corrupt",
      "The data of an event or a message is not JSON. Restore the store from a backup.",
    );
  }
}
