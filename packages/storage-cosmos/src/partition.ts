import type { Container } from "@azure/cosmos";
import { StorageError } from "@perdure/core/storage";
import type { Connection, Done, Operation } from "./connection.ts";
import type { Document, Text, TextPage } from "./documents.ts";
import { jsonBytes } from "./texts.ts";

/** Of a batch. */
const MOST_OPERATIONS = 100;
/** Less than the 2 MB of a batch by what its operations are wrapped in. */
const MOST_BYTES = 1_850_000;
/** How long what is staged for a commit waits for it. */
const STAGED_SECONDS = 86_400;

/** One logical partition: all that belongs to a run, or a cache entry. */
export class Partition {
  readonly #connection: Connection;
  readonly #container: Container;
  readonly key: string;

  constructor(connection: Connection, container: Container, key: string) {
    this.#connection = connection;
    this.#container = container;
    this.key = key;
  }

  /** The newest state of a document: a batch is answered by the primary. */
  // oxlint-disable-next-line no-unnecessary-type-parameters -- an id says what lies there
  async read<T extends Document>(id: string): Promise<{ readonly document: T; readonly etag: string } | undefined> {
    const [found] = await this.readAll<T>([id]);
    return found;
  }

  /** As {@link read}, of several at one moment if all of them are there. */
  // oxlint-disable-next-line no-unnecessary-type-parameters -- an id says what lies there
  async readAll<T extends Document>(
    ids: readonly string[],
  ): Promise<readonly ({ readonly document: T; readonly etag: string } | undefined)[]> {
    const missing = new Set<string>();
    for (;;) {
      const wanted = ids.filter((id) => !missing.has(id));
      if (wanted.length === 0) return ids.map(() => undefined);
      const operations = wanted.map((id) => ({ operationType: "Read", id }) as const);
      const answer = await this.#connection.batch(this.#container, this.key, operations);
      if (answer.status === "refused") {
        missing.add(wanted[answer.at]!);
        continue;
      }
      const found = new Map(wanted.map((id, at) => [id, answer.results[at]!]));
      return ids.map((id) => found.get(id) as { readonly document: T; readonly etag: string } | undefined);
    }
  }

  /**
   * All operations and pages, or nothing. Pages that do not fit are staged before, and stay by the same batch. What is read along comes
   * at the end of the results.
   */
  async write(
    operations: readonly Operation[],
    pages: readonly TextPage[],
    reads: readonly string[] = [],
  ): Promise<
    | { readonly status: "done"; readonly results: readonly Done[] }
    | { readonly status: "refused"; readonly at: number; readonly code: number }
  > {
    const creates = pages.map((page) => ({ operationType: "Create", resourceBody: page }) as const);
    const isSmall =
      operations.length + creates.length + reads.length <= MOST_OPERATIONS &&
      jsonBytes([...operations, ...creates]) <= MOST_BYTES;
    if (!isSmall) await Promise.all(pages.map((page) => this.#stage(page)));
    const keep = ({ id }: TextPage): Operation => ({
      operationType: "Patch",
      id,
      resourceBody: { operations: [{ op: "remove", path: "/ttl" }] },
    });
    const all: Operation[] = [...operations, ...(isSmall ? creates : pages.map((page) => keep(page)))];
    const room = MOST_OPERATIONS - all.length;
    if (room < 0) throw new Error(`A batch of ${all.length} operations was made.`);
    const along = reads.slice(0, room).map((id) => ({ operationType: "Read", id }) as const);
    const answer = await this.#connection.batch(this.#container, this.key, [...all, ...along]);
    if (answer.status === "refused") return answer;
    return {
      status: "done",
      results: [...answer.results.slice(0, operations.length), ...answer.results.slice(all.length)],
    };
  }

  /** Deletes documents, as many in one batch as can be; those that are gone already are. */
  async deleteAll(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += MOST_OPERATIONS) {
      let some = ids.slice(from, from + MOST_OPERATIONS);
      while (some.length > 0) {
        const answer = await this.#connection.batch(
          this.#container,
          this.key,
          some.map((id) => ({ operationType: "Delete", id })),
        );
        if (answer.status === "done") break;
        const { at } = answer;
        some = some.filter((_, index) => index !== at);
      }
    }
  }

  /** What a query finds in this partition alone. It sees what the last read or write of this client has seen. */
  query<T>(query: string, values: Readonly<Record<string, unknown>>): Promise<readonly T[]> {
    return this.#connection.query<T>(this.#container, query, values, this.key);
  }

  /** Texts as they were written. */
  async texts(texts: readonly (Text | null)[]): Promise<readonly (string | null)[]> {
    const sizes = new Map<string, number>();
    for (const text of texts) {
      if (text !== null && typeof text !== "string") for (const { id, kb } of text.pages) sizes.set(id, kb);
    }
    if (sizes.size === 0) return texts as readonly (string | null)[];
    const pages = await this.#pages(sizes);
    return texts.map((text) => {
      if (text === null || typeof text === "string") return text;
      return text.pages.map(({ id, at }) => pages.get(id)?.texts[at] ?? fail(id, this.key)).join("");
    });
  }

  async #pages(sizes: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, TextPage>> {
    const groups: string[][] = [];
    let kb = Infinity;
    for (const [id, size] of sizes) {
      if (kb + size > MOST_BYTES / 1_024 || groups.at(-1)!.length === MOST_OPERATIONS) {
        groups.push([]);
        kb = 0;
      }
      groups.at(-1)!.push(id);
      kb += size;
    }
    const pages = new Map<string, TextPage>();
    for (const found of await Promise.all(groups.map((ids) => this.readAll<TextPage>(ids)))) {
      for (const one of found) if (one !== undefined) pages.set(one.document.id, one.document);
    }
    return pages;
  }

  async #stage(page: TextPage): Promise<void> {
    const staged = { ...page, ttl: STAGED_SECONDS };
    const answer = await this.#connection.batch(this.#container, this.key, [
      { operationType: "Create", resourceBody: staged },
    ]);
    // Its id is random: one that is there was created by this request, whose first answer was lost.
    if (answer.status === "refused" && answer.code !== 409) throw new Error(`Staging was refused with ${answer.code}.`);
  }
}

function fail(id: string, partition: string): never {
  throw new StorageError("corrupt", `The page ${id} of ${partition} is not in Cosmos DB. Was it deleted by hand?`);
}
