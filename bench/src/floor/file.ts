import { closeSync, fdatasync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { claimLine, commitLine, type Enqueued, groupEnd } from "./file-lines.ts";
import type { Floor } from "./floor-load.ts";
import type { Held } from "./held.ts";
import { workOff } from "./work-off.ts";

const sync = promisify(fdatasync);

/** The same lines in the same journal, one write and one sync for each batch. */
export const fileFloor: Floor = async (place, load, started) => {
  const path = join(place, "journal-000001.log");
  const { runs, ...journal } = read(path);
  let { groups, bytes } = journal;
  let claimed = 0;
  const file = openSync(path, "a");
  const append = async (lines: readonly string[], of: readonly Enqueued[]): Promise<void> => {
    bytes += writeSync(file, `${lines.join("")}\n${groupEnd(++groups, bytes, of)}\n`);
    await sync(file);
  };
  try {
    started();
    await workOff(
      {
        async claim(limit) {
          const of = runs.slice(claimed, claimed + limit);
          const held = of.map(({ input }): Held => ({ no: claimed++, epoch: 1, seq: 1, input: Number(input) }));
          await append(of.map(claimLine), of);
          return held;
        },
        commit(held, activity, isLast) {
          const of = held.map(({ no }) => runs[no]!);
          const lines = held.map((run, at) => commitLine(of[at]!, run, activity, isLast));
          return append(lines, of);
        },
      },
      load,
    );
  } finally {
    closeSync(file);
  }
};

interface Line {
  readonly ns?: string;
  readonly do?: string;
  readonly run?: Omit<Enqueued, "ns">;
  readonly commit?: { readonly claim: { readonly runId: string }; readonly next: { readonly do: string } };
  readonly group?: number;
}

function read(path: string): { readonly runs: readonly Enqueued[]; readonly groups: number; readonly bytes: number } {
  const content = readFileSync(path);
  const runs = new Map<string, Enqueued>();
  let groups = 0;
  for (const text of content.toString().split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text.slice(9)) as Line;
    groups = line.group ?? groups;
    if (line.do === "create") runs.set(line.run!.runId, { ns: line.ns!, ...line.run! });
    if (line.commit?.next.do === "done") runs.delete(line.commit.claim.runId);
  }
  return { runs: [...runs.values()], groups, bytes: content.length };
}
