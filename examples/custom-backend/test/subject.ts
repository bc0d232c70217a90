import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackendUnderTest } from "@perdure/conformance";
import { journal } from "../src/backend.ts";

/** How far the machine's clock is moved, by case. */
const offsets = new Map<string, number>();

function caseOf(namespace: string): string {
  return namespace.split("_", 1)[0]!;
}

/** All namespaces of one case share a file. Child processes find it by the same name. */
function folderOf(namespace: string): string {
  return join(tmpdir(), `perdure-journal-${caseOf(namespace)}`);
}

function move(namespace: string, ms: number): void {
  offsets.set(caseOf(namespace), (offsets.get(caseOf(namespace)) ?? 0) + ms);
}

/** What the suite has to know of our storage: how to open it, how to move its time, how to reopen it in another process. */
const subject: BackendUnderTest = {
  name: "journal",
  module: new URL(import.meta.url),
  open({ namespace }) {
    mkdirSync(folderOf(namespace), { recursive: true });
    const path = join(folderOf(namespace), "runs.journal");
    return journal({ path, namespace, clock: { now: () => Date.now() + (offsets.get(caseOf(namespace)) ?? 0) } });
  },
  destroy(namespace) {
    offsets.delete(caseOf(namespace));
    rmSync(folderOf(namespace), { recursive: true, force: true });
  },
  advance: move,
  stepBack: (namespace, ms) => move(namespace, -ms),
};

export default subject;
