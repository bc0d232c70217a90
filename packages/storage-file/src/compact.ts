import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { type Change, Replica } from "@perdure/core/storage";
import { Damages } from "./damage.ts";
import type { Disk } from "./disk.ts";
import type { ChangeLine } from "./line.ts";
import { Log } from "./log.ts";
import { nameOf, numbersOf, UNFINISHED } from "./names.ts";
import { NewFile } from "./new-file.ts";
import { LIMITS } from "./info.ts";

/** So many lines of a snapshot stand in one group. */
const GROUP_LINES = 200;

/**
 * Writes all that stands before a journal into a snapshot, and deletes the files that it replaces. Those do not change any more: so it
 * is done beside all other work, a little at a time, and by several at once it does no harm.
 * @param isOver asked between the steps: then nothing is left behind
 */
export async function compact(disk: Disk, folder: string, no: number, isOver: () => boolean): Promise<void> {
  const replicas = await readBefore(disk, folder, no, isOver);
  if (replicas === undefined) return;
  const file = new NewFile(disk, folder, "snapshot", no);
  try {
    for (const lines of groupsOf(replicas)) {
      if (isOver()) return file.discard();
      file.append(lines);
      await turn();
    }
    file.append([], { last: true });
    file.publish();
  } catch (error) {
    file.discard();
    throw error;
  }
  removeBefore(disk, folder, no);
}

/** All namespaces; undefined if it is over, or if some of it is damaged: that is left as it is. */
async function readBefore(
  disk: Disk,
  folder: string,
  no: number,
  isOver: () => boolean,
): Promise<ReadonlyMap<string, Replica> | undefined> {
  const replicas = new Map<string, Replica>();
  const damages = new Damages();
  const log = new Log(disk, folder, damages);
  try {
    for (const { changes } of log.read(no)) {
      for (const line of changes) applyTo(replicas, line);
      if (damages.any || isOver()) return undefined;
      await turn();
    }
    return replicas;
  } finally {
    await log.close();
  }
}

function applyTo(replicas: Map<string, Replica>, line: ChangeLine): void {
  let replica = replicas.get(line.ns);
  if (replica === undefined) {
    replica = new Replica({ limits: LIMITS, clock: { now: () => 0 } });
    replicas.set(line.ns, replica);
  }
  replica.reach(line.at);
  if (!replica.apply(line, line.at)) throw new Error(`A line of ${line.ns} does not follow from those before it.`);
}

function* groupsOf(replicas: ReadonlyMap<string, Replica>): Generator<readonly ChangeLine[]> {
  let lines: ChangeLine[] = [];
  for (const [ns, replica] of replicas) {
    const at = replica.now();
    for (const change of replica.image() as Iterable<Change>) {
      lines.push({ ns, at, ...change });
      if (lines.length < GROUP_LINES) continue;
      yield lines;
      lines = [];
    }
  }
  if (lines.length > 0) yield lines;
}

function removeBefore(disk: Disk, folder: string, no: number): void {
  const names = disk.list(folder);
  const old = (["snapshot", "journal"] as const).flatMap((kind) => {
    return numbersOf(kind, names)
      .filter((number) => number < no)
      .map((number) => nameOf(kind, number));
  });
  const unfinished = names.filter((name) => name.endsWith(UNFINISHED));
  for (const name of [...old, ...unfinished]) disk.remove(join(folder, name));
}
