import { randomUUID } from "node:crypto";
import type { PagePlace, Text, TextPage } from "./documents.ts";

/** Bytes of the JSON of one page: with its other properties it fits into a document, and into a batch. */
const PAGE_BYTES = 1_500_000;
/** A character has at most so many bytes in JSON. */
const WORST = 6;

/** Bytes of a value as it is sent. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Writes texts of one partition: short ones stay where they are used, others go to pages. */
export class TextWriter {
  readonly #partition: string;
  readonly #pages: { readonly id: string; readonly texts: string[]; bytes: number; places: { kb: number }[] }[] = [];

  constructor(partition: string) {
    this.#partition = partition;
  }

  get pages(): readonly TextPage[] {
    return this.#pages.map(({ id, texts }) => ({ id, pk: this.#partition, t: "page", texts }));
  }

  /** @param isAlone its pages have nothing else, so that they can be deleted with it */
  write(text: string, most: number, isAlone = false): Text {
    if (text.length <= most && (text.length * WORST <= most || jsonBytes(text) <= most)) return text;
    const step = Math.floor(PAGE_BYTES / WORST);
    if (text.length <= step || jsonBytes(text) <= PAGE_BYTES) return { pages: [this.#place(text, isAlone)] };
    const pages: PagePlace[] = [];
    for (let from = 0; from < text.length;) {
      let to = Math.min(from + step, text.length);
      // A pair of surrogates stays together.
      if (to < text.length && /[\uD800-\uDBFF]/u.test(text[to - 1]!)) to -= 1;
      pages.push(this.#place(text.slice(from, to), isAlone));
      from = to;
    }
    return { pages };
  }

  writeOrNull(text: string | null | undefined, most: number, isAlone = false): Text | null {
    return text === null || text === undefined ? null : this.write(text, most, isAlone);
  }

  #place(text: string, isAlone: boolean): PagePlace {
    const bytes = jsonBytes(text);
    let page = this.#pages.at(-1);
    if (page === undefined || isAlone || page.places.length === 0 || page.bytes + bytes > PAGE_BYTES) {
      page = { id: `p:${randomUUID()}`, texts: [], bytes: 0, places: [] };
      this.#pages.push(page);
    }
    const place = { id: page.id, at: page.texts.length, kb: 0 };
    page.texts.push(text);
    page.bytes += bytes;
    // One that is alone takes no others.
    if (!isAlone) page.places.push(place);
    for (const one of [...page.places, place]) one.kb = Math.ceil(page.bytes / 1_024);
    return place;
  }
}

/** The pages that only this text uses, if it was written alone. */
export function pagesOf(text: Text | null): readonly string[] {
  return text === null || typeof text === "string" ? [] : text.pages.map(({ id }) => id);
}
