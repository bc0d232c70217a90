import { type ChangeLine, decodeLine, encodeLine, type GroupEnd, type Header, isBeginning } from "./line.ts";
import { markOfChange } from "./mark.ts";
import type { Damage } from "./damage.ts";

// A group is what is written in one go: its lines, a blank line, the line that ends it, a blank line. The blank lines see to it that
// a line break that was lost costs one line, never two. Whatever has no end was not written.

const LINE_BREAK = 0x0a;

/** A group to be written. */
export interface NewGroup {
  readonly no: number;
  /** Where it will stand. */
  readonly from: number;
  readonly changes: readonly ChangeLine[];
  readonly next?: number;
  readonly last?: true;
}

/** A group as it is read: lines that are good, and what is to be said of the others. */
export interface Group {
  /** Where it begins in its file. */
  readonly from: number;
  readonly changes: readonly ChangeLine[];
  readonly damages: readonly Omit<Damage, "file">[];
  readonly next: number | undefined;
  readonly isLast: boolean;
}

export function encodeGroup({ no, from, changes, next, last }: NewGroup): Buffer {
  const end: GroupEnd = {
    group: no,
    from,
    marks: changes.map((change) => markOfChange(change.ns, change)),
    ...(next === undefined ? {} : { next }),
    ...(last === undefined ? {} : { last }),
  };
  const lines = changes.map((change) => `${encodeLine(change)}\n`).join("");
  return Buffer.from(`${lines}\n${encodeLine(end)}\n\n`);
}

export function encodeHeader(header: Header): Buffer {
  return Buffer.from(`${encodeLine(header)}\n\n`);
}

interface Read {
  readonly groups: readonly Group[];
  /** Up to here, from the beginning of the bytes, stands what was read. */
  readonly end: number;
  /** Number of the last group. */
  readonly no: number;
}

interface GoodLine {
  readonly at: number;
  readonly line: ChangeLine;
}

/** Reads groups, one after the other. */
export class GroupReader {
  readonly #bytes: Buffer;
  /** Where the bytes stand in their file. */
  readonly #base: number;
  readonly #groups: Group[] = [];
  #no: number;
  /** Where the group begins that is being read. */
  #start = 0;
  #good: GoodLine[] = [];
  #bad: number[] = [];

  /** @param no number of the group before */
  constructor(bytes: Buffer, base: number, no: number) {
    this.#bytes = bytes;
    this.#base = base;
    this.#no = no;
  }

  /**
   * Reads to the last end of a group. `isAll`: no more is coming, and nobody is writing. Then what follows is half a group, whose
   * writer was stopped, and is left out; or damaged.
   */
  read(isAll: boolean): Read {
    let at = 0;
    for (let to = this.#lineBreak(0); to >= 0; to = this.#lineBreak(at)) {
      const line = to === at ? undefined : decodeLine(this.#bytes, at, to);
      if (line !== undefined && "group" in line) {
        const after = this.#bytes[to + 1];
        // The blank line is the last that is written: without it the group may still be taken back.
        if (after === undefined) break;
        this.#finish(line, after === LINE_BREAK ? to + 2 : to + 1);
        at = this.#start;
        continue;
      }
      if (line !== undefined && !("perdure" in line)) this.#good.push({ at, line });
      else if (to !== at) this.#bad.push(at);
      at = to + 1;
    }
    if (isAll) this.#judgeRest(at);
    return { groups: this.#groups, end: this.#start, no: this.#no };
  }

  #lineBreak(from: number): number {
    return this.#bytes.indexOf(LINE_BREAK, from);
  }

  #finish(end: GroupEnd, to: number): void {
    const from = end.from - this.#base;
    if (from < this.#start || end.group <= this.#no) this.#damage("all", this.#start);
    else if (from > this.#start && end.group > this.#no + 1) this.#finishWithoutEnd(from, end.group);
    const isMissing = end.group !== this.#no + 1;
    const damages: Omit<Damage, "file">[] = isMissing ? [{ of: "all", offset: this.#base + this.#start }] : [];
    const offset = this.#base + (this.#bad[0] ?? from);
    for (const mark of missingMarks(end.marks, this.#good)) damages.push({ of: { mark }, offset });
    if (damages.length === 0 && this.#bad.length > 0) damages.push({ of: "nothing", offset });
    const { next, last } = end;
    this.#push(
      { from: end.from, changes: this.#good.map(({ line }) => line), damages, next, isLast: last ?? false },
      end.group,
      to,
    );
  }

  /** Bytes before a group that end no group. If one line of them is damaged, that is the one that would have ended it. */
  #finishWithoutEnd(to: number, nextNo: number): void {
    const bad = this.#bad.filter((at) => at < to);
    const later = { good: this.#good.filter(({ at }) => at >= to), bad: this.#bad.filter((at) => at >= to) };
    const changes = this.#good.filter(({ at }) => at < to).map(({ line }) => line);
    const isEnd = bad.length === 1 && nextNo === this.#no + 2;
    const damage = { of: isEnd ? "nothing" : "all", offset: this.#base + (bad[0] ?? this.#start) } as const;
    this.#push(
      { from: this.#base + this.#start, changes, damages: [damage], next: undefined, isLast: false },
      nextNo - 1,
      to,
    );
    this.#good = later.good;
    this.#bad = later.bad;
  }

  /** What stands after the last end of a group, the last of it perhaps without a line break. */
  #judgeRest(unfinished: number): void {
    // A loss of power leaves zeros where a write was not carried out.
    if (this.#bytes.at(-1) === 0) return;
    const half = this.#bytes.toString("latin1", unfinished);
    const bad = this.#bad[0];
    if (bad === undefined) {
      if (!isBeginning(half)) this.#push(damaged("nothing", this.#base + unfinished), this.#no, this.#bytes.length);
      return;
    }
    const isEnd = this.#bad.length === 1 && half === "" && this.#good.every(({ at }) => at < bad);
    const { changes: _, ...damage } = damaged(isEnd ? "nothing" : "all", this.#base + bad);
    const changes = this.#good.map(({ line }) => line);
    // The last group of a snapshot has no lines.
    this.#push({ ...damage, changes, isLast: isEnd && changes.length === 0 }, this.#no + 1, this.#bytes.length);
  }

  #damage(of: "all", at: number): void {
    this.#groups.push(damaged(of, this.#base + at));
  }

  #push(group: Group, no: number, end: number): void {
    this.#groups.push(group);
    this.#no = no;
    this.#start = end;
    this.#good = [];
    this.#bad = [];
  }
}

function damaged(of: "all" | "nothing", offset: number): Group {
  return { from: offset, changes: [], damages: [{ of, offset }], next: undefined, isLast: false };
}

/** The marks of a group that no good line has. */
function missingMarks(marks: readonly string[], good: readonly GoodLine[]): readonly string[] {
  if (marks.length === good.length) return [];
  const found = new Map<string, number>();
  for (const { line } of good) {
    const mark = markOfChange(line.ns, line);
    found.set(mark, (found.get(mark) ?? 0) + 1);
  }
  return marks.filter((mark) => {
    const left = found.get(mark) ?? 0;
    found.set(mark, left - 1);
    return left <= 0;
  });
}
