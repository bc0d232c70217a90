import { type Item, isExpired, rangeOf } from "./item.ts";

/** Of a container, as its creator gave it. */
export interface Definition {
  readonly id: string;
  readonly partitionKey: { readonly paths: readonly string[] };
  readonly defaultTtl?: number;
  readonly indexingPolicy?: {
    readonly compositeIndexes?: readonly (readonly { readonly path: string; readonly order?: string }[])[];
  };
}

/** One item that a request has changed. */
export interface Change {
  readonly key: string;
  readonly id: string;
  /** `null`: deleted. */
  readonly item: Item | null;
}

/** The items of a container, by partition key and id, and an index for each name that queries have compared. */
export class Container {
  readonly definition: Definition;
  readonly rid: string;
  readonly ranges: number;
  readonly #partitions = new Map<string, Map<string, Item>>();
  readonly #indexes = new Map<string, Map<unknown, Set<Item>>>();
  readonly #lsns: number[];
  #count = 0;

  constructor(definition: Definition, rid: string, ranges: number) {
    this.definition = definition;
    this.rid = rid;
    this.ranges = ranges;
    this.#lsns = Array.from({ length: ranges }, () => 0);
  }

  /** The item, unless it is not there or has expired. */
  get(key: string, id: string, now: number): Item | undefined {
    const item = this.#partitions.get(key)?.get(id);
    return item === undefined || isExpired(item, this.definition.defaultTtl, now) ? undefined : item;
  }

  newRid(): string {
    this.#count += 1;
    return `${this.rid}${this.#count.toString(36).padStart(9, "0")}`;
  }

  apply(changes: readonly Change[]): void {
    for (const { key, id, item } of changes) {
      let partition = this.#partitions.get(key);
      if (partition === undefined) this.#partitions.set(key, (partition = new Map<string, Item>()));
      const old = partition.get(id);
      if (old !== undefined) this.#unindex(old);
      if (item === null) partition.delete(id);
      else partition.set(id, item);
      if (item !== null) for (const [name, index] of this.#indexes) addTo(index, item[name], item);
      if (partition.size === 0) this.#partitions.delete(key);
      this.#lsns[rangeOf(key, this.ranges)]! += 1;
      if (item !== null) this.#count = Math.max(this.#count, parseInt(item["_rid"].slice(this.rid.length), 36));
    }
  }

  /** What a client has seen of a physical partition. */
  sessionToken(range: number): string {
    return `${range}:-1#${this.#lsns[range]}`;
  }

  /** Items of a partition, or of all of a physical one, in no order. With a name, only those that have this value there. */
  *scan(
    place: { readonly key?: string; readonly range?: number },
    now: number,
    by?: readonly [string, unknown],
  ): Iterable<Item> {
    const { key, range } = place;
    if (key !== undefined) {
      for (const item of this.#partitions.get(key)?.values() ?? []) if (this.#isThere(item, now)) yield item;
      return;
    }
    const items = by === undefined ? this.#all() : (this.#index(by[0]).get(by[1]) ?? []);
    for (const item of items) {
      if (range !== undefined && rangeOf(this.keyOf(item), this.ranges) !== range) continue;
      if (this.#isThere(item, now)) yield item;
    }
  }

  /** The value of an item at the path of the partition key. */
  keyOf(item: Readonly<Record<string, unknown>>): string {
    return String(item[this.definition.partitionKey.paths[0]!.slice(1)]);
  }

  #isThere(item: Item, now: number): boolean {
    return !isExpired(item, this.definition.defaultTtl, now);
  }

  *#all(): Iterable<Item> {
    for (const partition of this.#partitions.values()) yield* partition.values();
  }

  #index(name: string): Map<unknown, Set<Item>> {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      this.#indexes.set(name, (index = new Map<unknown, Set<Item>>()));
      for (const item of this.#all()) addTo(index, item[name], item);
    }
    return index;
  }

  #unindex(item: Item): void {
    for (const [name, index] of this.#indexes) {
      const items = index.get(item[name]);
      items?.delete(item);
      if (items?.size === 0) index.delete(item[name]);
    }
  }
}

function addTo(index: Map<unknown, Set<Item>>, value: unknown, item: Item): void {
  const items = index.get(value);
  if (items === undefined) index.set(value, new Set([item]));
  else items.add(item);
}
