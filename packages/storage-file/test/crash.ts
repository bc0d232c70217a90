import type { Step } from "./recording-disk.ts";

type Files = Map<string, Buffer>;

/** What is on disk after a crash. */
export interface Remains {
  readonly what: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** A process was killed after `count` steps, in the middle of the next one: the system has all that was done. */
export function* afterKill(steps: readonly Step[], count: number): Generator<Remains> {
  const files: Files = new Map();
  for (const step of steps.slice(0, count)) carryOut(files, step);
  yield { what: `killed after step ${count}`, files };
  const next = steps[count];
  if (next?.do !== "write") return;
  for (const length of partsOf(next.bytes)) {
    const part = new Map(files);
    carryOut(part, { ...next, bytes: next.bytes.subarray(0, length) });
    yield { what: `killed in step ${count}, after ${length} bytes`, files: part };
  }
}

/** The machine has lost power after `count` steps: of what was not synced, any beginning may be there, of content and of names. */
export function* afterPowerLoss(steps: readonly Step[], count: number): Generator<Remains> {
  const done = steps.slice(0, count);
  const namesSynced = done.findLastIndex((step) => step.do === "sync-names") + 1;
  const nameChanges = done.flatMap((step, at) => (at >= namesSynced && isOfNames(step) ? [at] : []));
  for (let kept = 0; kept <= nameChanges.length; kept++) {
    const lost = new Set(nameChanges.slice(kept));
    const names = done.filter((_, at) => !lost.has(at));
    for (const { what, files } of contents(names)) {
      yield { what: `power lost after step ${count}, ${kept} of ${nameChanges.length} names kept, ${what}`, files };
    }
  }
}

/** All that was synced, and each beginning of what was not. */
function* contents(steps: readonly Step[]): Generator<Remains> {
  const unsynced = steps.flatMap((step, at) => (isOfContent(step) && !isSynced(steps, at) ? [at] : []));
  for (let kept = 0; kept <= unsynced.length; kept++) {
    const lost = new Set(unsynced.slice(kept));
    const files: Files = new Map();
    for (const [at, step] of steps.entries()) if (!lost.has(at)) carryOut(files, step);
    yield { what: `${kept} of ${unsynced.length} writes kept`, files };
    const next = steps[unsynced[kept] ?? -1];
    if (next?.do !== "write") continue;
    for (const length of partsOf(next.bytes)) {
      const part = new Map(files);
      const path = nameNow(steps, unsynced[kept]!, next.path);
      const old = part.get(path);
      if (old === undefined) continue;
      // The length of the file may be on disk, and what stands there not.
      const zeros = Buffer.alloc(next.bytes.length - length);
      const beginning = next.bytes.subarray(0, length);
      yield {
        what: `${kept} writes and ${length} bytes kept`,
        files: new Map([...part, [path, Buffer.concat([old, beginning])]]),
      };
      yield {
        what: `${kept} writes and ${length} bytes kept, zeros after them`,
        files: new Map([...part, [path, Buffer.concat([old, beginning, zeros])]]),
      };
    }
  }
}

function isOfNames(step: Step): boolean {
  return step.do === "rename" || step.do === "remove";
}

function isOfContent(step: Step): step is Extract<Step, { readonly do: "write" | "truncate" }> {
  return step.do === "write" || step.do === "truncate";
}

function isSynced(steps: readonly Step[], at: number): boolean {
  const { path } = steps[at] as { readonly path: string };
  return steps.some(
    (step, later) => later > at && step.do === "sync" && nameNow(steps, later, step.path) === nameNow(steps, at, path),
  );
}

/** What a file is called at last that had a name at some step. */
function nameNow(steps: readonly Step[], at: number, path: string): string {
  let name = path;
  for (const step of steps.slice(at)) if (step.do === "rename" && step.from === name) name = step.to;
  return name;
}

/** Lengths of beginnings of a write. */
function partsOf(bytes: Buffer): ReadonlySet<number> {
  const { length } = bytes;
  return new Set([1, 9, length >> 1, bytes.lastIndexOf("\n\n", -3), length - 2, length - 1].filter((part) => part > 0));
}

function carryOut(files: Files, step: Step): void {
  switch (step.do) {
    case "create":
      return void files.set(step.path, Buffer.alloc(0));
    case "write": {
      const old = files.get(step.path);
      return old && void files.set(step.path, Buffer.concat([old, step.bytes]));
    }
    case "truncate": {
      const old = files.get(step.path);
      return old && void files.set(step.path, old.subarray(0, step.size));
    }
    case "rename": {
      const file = files.get(step.from);
      files.delete(step.from);
      return file && void files.set(step.to, file);
    }
    case "remove":
      return void files.delete(step.path);
    default:
  }
}
