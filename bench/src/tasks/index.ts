import { check } from "./check.ts";
import { enqueue } from "./enqueue.ts";
import { fanOut, fanTimes } from "./fan-out.ts";
import { fill } from "./fill.ts";
import { finishLong } from "./finish-long.ts";
import { floor } from "./floor.ts";
import { list } from "./list.ts";
import { startNaps, workNaps } from "./nap.ts";
import { roundTrips } from "./round-trips.ts";
import { describeStorage } from "./describe-storage.ts";
import type { Site } from "../station/site.ts";
import { work } from "./work.ts";
import { workLong } from "./work-long.ts";
import { ends, startWorker, stopWorker, use } from "./worker.ts";

type Tasks = Readonly<Record<string, (site: Site, args: never) => Promise<unknown>>>;

/** What a station can be asked to do, by name. Arguments and results travel as JSON. */
export const tasks = {
  check,
  describeStorage,
  ends,
  enqueue,
  fanOut,
  fanTimes,
  fill,
  finishLong,
  floor,
  list,
  roundTrips,
  startNaps,
  startWorker,
  stopWorker,
  use,
  work,
  workNaps,
  workLong,
} satisfies Tasks;

export type TaskName = keyof typeof tasks;
/** `null` for a task that needs to be told nothing. */
export type TaskArgs<Name extends TaskName> = Parameters<(typeof tasks)[Name]> extends [Site, infer Args] ? Args : null;
export type TaskResult<Name extends TaskName> = Awaited<ReturnType<(typeof tasks)[Name]>>;
