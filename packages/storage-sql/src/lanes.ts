import type { TaskKind } from "@perdure/core/storage";
import { query } from "./query.ts";
import { change, row, type Steps } from "./steps.ts";

/** Tasks that are claimed alike. */
export interface Lane {
  readonly no: number;
  readonly queue: string;
  readonly kind: TaskKind;
  readonly name: string;
  readonly priority: number;
}

type LaneKey = Omit<Lane, "no">;

/** The lanes of a namespace: there are few, and none ever changes. */
export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  readonly #byNo = new Map<number, Lane>();

  /** The lane with this key, made now if there is none. */
  *get(ns: number, key: LaneKey): Steps<Lane> {
    const text = `${key.kind}${key.priority} ${key.queue.length} ${key.queue}${key.name}`;
    return this.#byKey.get(text) ?? this.#add(text, yield* this.#read(ns, key));
  }

  /** The lane with this number. */
  *byNo(no: number): Steps<Lane> {
    const known = this.#byNo.get(no);
    if (known !== undefined) return known;
    const lane = (yield* row(findLane, { no }))!;
    this.#byNo.set(no, lane);
    return lane;
  }

  /** Forgets everything: after a transaction that was rolled back, a lane may not be there. */
  clear(): void {
    this.#byKey.clear();
    this.#byNo.clear();
  }

  *#read(ns: number, key: LaneKey): Steps<Lane> {
    const lane = yield* row(findLaneByKey, { ns, ...key });
    if (lane !== undefined) return lane;
    yield* change(insertLane, { ns, ...key });
    return (yield* row(findLaneByKey, { ns, ...key }))!;
  }

  #add(text: string, lane: Lane): Lane {
    this.#byKey.set(text, lane);
    this.#byNo.set(lane.no, lane);
    return lane;
  }
}

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
