import { randomUUID } from "node:crypto";
import type { Change, Container } from "./container.ts";
import { Failure, notFound } from "./failure.ts";
import { type Body, checkBody, type Item } from "./item.ts";
import { patched, type Patch } from "./patch.ts";

/** What an operation may be bound to. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** Operations on one partition that become true together, or not at all. */
export class Draft {
  readonly #container: Container;
  readonly #key: string;
  readonly #now: number;
  readonly #changes = new Map<string, Item | null>();

  constructor(container: Container, key: string, now: number) {
    this.#container = container;
    this.#key = key;
    this.#now = now;
  }

  get changes(): readonly Change[] {
    return [...this.#changes].map(([id, item]) => ({ key: this.#key, id, item }));
  }

  read(id: string, { ifNoneMatch }: Conditions = {}): Item {
    const item = this.#find(id) ?? refuse();
    if (ifNoneMatch === item["_etag"]) throw new Failure(304, "Not modified.");
    return item;
  }

  create(body: Body): Item {
    if (typeof body.id === "string" && this.#find(body.id) !== undefined)
      throw new Failure(409, "Entity with the specified id already exists in the system.");
    return this.#put(body, this.#container.newRid());
  }

  replace(id: string, body: Body, conditions: Conditions): Item {
    const old = this.#matching(id, conditions);
    if (body.id !== id) throw new Failure(400, "The id of an item cannot be changed.");
    return this.#put(body, old["_rid"]);
  }

  upsert(body: Body, conditions: Conditions): Item {
    const old = typeof body.id === "string" ? this.#find(body.id) : undefined;
    if (old === undefined) return this.#put(body, this.#container.newRid());
    this.#matching(old.id, conditions);
    return this.#put(body, old["_rid"]);
  }

  patch(id: string, patch: Patch, conditions: Conditions): Item {
    const old = this.#matching(id, conditions);
    return this.#put(patched(old, patch), old["_rid"]);
  }

  delete(id: string, conditions: Conditions): void {
    this.#matching(id, conditions);
    this.#changes.set(id, null);
  }

  #find(id: string): Item | undefined {
    const changed = this.#changes.get(id);
    return changed === undefined ? this.#container.get(this.#key, id, this.#now) : (changed ?? undefined);
  }

  #matching(id: string, { ifMatch }: Conditions): Item {
    const item = this.#find(id) ?? refuse();
    if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== item["_etag"])
      throw new Failure(412, "Operation cannot be performed because one of the specified precondition is not met.");
    return item;
  }

  #put(body: Body, rid: string): Item {
    checkBody(body);
    if (this.#container.keyOf(body) !== this.#key)
      throw new Failure(400, "PartitionKey extracted from document doesn't match the one specified in the header.", {
        "x-ms-substatus": "1001",
      });
    const { _rid, _etag, _ts, _self, _attachments, ...own } = body;
    const item = {
      ...own,
      _rid: rid,
      _etag: `"${randomUUID()}"`,
      _ts: Math.floor(this.#now / 1_000),
    } as unknown as Item;
    this.#changes.set(item.id, item);
    return item;
  }
}

function refuse(): never {
  throw notFound();
}
