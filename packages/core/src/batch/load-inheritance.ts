import type { Codec } from "../codec/codec.ts";
import { inheritedSeqs, readInheritance } from "../engine/continuation.ts";
import type { Inheritance } from "../engine/open-command.ts";
import { openEvent } from "../engine/open-event.ts";
import { StorageError } from "../errors/index.ts";
import type { Seq } from "../model/ids.ts";
import type { RunHeader } from "../model/run.ts";
import type { EventRequest, StoredEvent } from "../storage/event.ts";
import type { StorageAccess } from "./storage-access.ts";

/** Events that nobody asked for are read along when they are fewer than this between two that somebody did. */
const GAP = 4;

/** Reads what the generation whose first event this is has from those before it. */
export async function loadInheritance(
  access: StorageAccess,
  codec: Codec,
  run: RunHeader,
  first: StoredEvent | undefined,
): Promise<Inheritance> {
  const seqs = first === undefined || first.seq === 1 ? [] : inheritedSeqs(openEvent(codec, first));
  const events = await readScattered(access, run, seqs);
  return readInheritance(events.map((event) => openEvent(codec, event)));
}

/** Reads events by their seqs, which ascend: one request for each stretch that is nearly dense. */
async function readScattered(
  access: StorageAccess,
  { runId, incarnation }: RunHeader,
  seqs: readonly Seq[],
): Promise<readonly StoredEvent[]> {
  const { storage } = access;
  const wanted = new Set(seqs);
  const found: StoredEvent[] = [];
  const left = stretches(seqs);
  while (left.length > 0) {
    const asked = left.splice(0, storage.info.limits.batch);
    const requests = asked.map(({ after, last }): EventRequest => ({ runId, incarnation, after, limit: last - after }));
    const pages = await storage.readEvents(requests);
    for (const [at, { events }] of pages.entries()) {
      found.push(...events.filter(({ seq }) => wanted.has(seq)));
      const { last } = asked[at]!;
      const after = events.at(-1)?.seq ?? missing(runId, last);
      if (after < last) left.push({ after, last });
    }
  }
  return found.toSorted((a, b) => a.seq - b.seq);
}

interface Stretch {
  readonly after: Seq;
  last: Seq;
}

function stretches(seqs: readonly Seq[]): Stretch[] {
  const found: Stretch[] = [];
  for (const seq of seqs) {
    const newest = found.at(-1);
    if (newest !== undefined && seq - newest.last <= GAP) newest.last = seq;
    else found.push({ after: seq - 1, last: seq });
  }
  return found;
}

function missing(runId: string, seq: Seq): never {
  throw new StorageError(
    "corrupt",
    `History of run "${runId}" has no event ${seq}, which a later one refers to. Restore the store from a backup.`,
    { details: { runId, seq } },
  );
}
