import type { TaskKind } from "@perdure/core/storage";
import { query } from "./query.ts";
import { row, rows, type Steps, write } from "./steps.ts";

/** Tasks that are claimed alike. */
export interface Lane {
  readonly no: number;
  readonly queue: string;
  readonly kind: TaskKind;
  readonly name: string;
  readonly priority: number;
}

export type LaneKey = Omit<Lane, "no">;

/** The lanes of a namespace: there are few, and none ever changes. */
export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  readonly #byNo = new Map<number, Lane>();
  /** What is known beyond the transaction; itself where there is none. */
  readonly #known: Lanes;

  constructor(known?: Lanes) {
    this.#known = known ?? this;
  }

  /** For one transaction: what it adds is for itself, since it may not be there in the end, until it is {@link keep kept}. */
  ofTransaction(): Lanes {
    return new Lanes(this);
  }

  /** After the commit: everybody may use what this transaction has found. */
  keep(): void {
    const known = this.#known;
    for (const [key, lane] of this.#byKey) known.#byKey.set(key, lane);
    for (const [no, lane] of this.#byNo) known.#byNo.set(no, lane);
  }

  /** Those that a namespace has by now. */
  static *of(ns: number): Steps<Lanes> {
    const lanes = new Lanes();
    for (const lane of yield* rows(selectLanes, { ns })) lanes.learn(lane);
    return lanes;
  }

  /** Whether the lane with this key is known already. */
  has(key: LaneKey): boolean {
    return this.#byKey.has(textOf(key));
  }

  /** All that are known here. */
  get all(): readonly Lane[] {
    const own = [...this.#byNo.values()];
    return this.#known === this ? own : [...this.#known.all, ...own];
  }

  /** Remembers a lane that was found. */
  learn(lane: Lane): void {
    this.#byKey.set(textOf(lane), lane);
    this.#byNo.set(lane.no, lane);
  }

  /** The lane with this key, made now if there is none. */
  *get(ns: number, key: LaneKey): Steps<Lane> {
    const text = textOf(key);
    const known = this.#known.#byKey.get(text) ?? this.#byKey.get(text);
    if (known !== undefined) return known;
    const lane = yield* this.#read(ns, key);
    this.learn(lane);
    return lane;
  }

  /** The lane with this number. */
  *byNo(no: number): Steps<Lane> {
    const known = this.#known.#byNo.get(no) ?? this.#byNo.get(no);
    if (known !== undefined) return known;
    const lane = (yield* row(findLane, { no }))!;
    this.learn(lane);
    return lane;
  }

  *#read(ns: number, key: LaneKey): Steps<Lane> {
    const lane = yield* row(findLaneByKey, { ns, ...key });
    if (lane !== undefined) return lane;
    yield* write(insertLane, { ns, ...key });
    return (yield* row(findLaneByKey, { ns, ...key }))!;
  }
}

function textOf({ queue, kind, name, priority }: LaneKey): string {
  return `${kind}${priority} ${queue.length} ${queue}${name}`;
}

const selectLanes = query((db, args: { ns: number }) =>
  db.selectFrom("perdure_lanes").select(["no", "queue", "kind", "name", "priority"]).where("ns", "=", args.ns),
);

const findLane = query((db, args: { no: number }) =>
  db.selectFrom("perdure_lanes").select(["no", "queue", "kind", "name", "priority"]).where("no", "=", args.no),
);

const findLaneByKey = query((db, args: LaneKey & { ns: number }) =>
  db
    .selectFrom("perdure_lanes")
    .select(["no", "queue", "kind", "name", "priority"])
    .where("ns", "=", args.ns)
    .where("queue", "=", args.queue)
    .where("kind", "=", args.kind)
    .where("name", "=", args.name)
    .where("priority", "=", args.priority),
);

const insertLane = query((db, { ns, queue, kind, name, priority }: LaneKey & { ns: number }, dialect) =>
  dialect.insertNew(db.insertInto("perdure_lanes").values({ ns, queue, kind, name, priority })),
);
