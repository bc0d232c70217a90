import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactFolder, file } from "@perdure/storage-file";
import type { BackendUnderTest } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";

/** How far the machine's clock is moved, by case. */
const offsets = new Map<string, number>();

/** Folders of stores that have a clock of their own. */
const driven = new Set<string>();

/** All namespaces of one case share a folder. Child processes find it by the same name. */
function folderOf(namespace: string): string {
  return join(tmpdir(), `perdure-conformance-file-${caseOf(namespace)}`);
}

function move(namespace: string, ms: number): void {
  offsets.set(caseOf(namespace), (offsets.get(caseOf(namespace)) ?? 0) + ms);
}

/** One folder for each case, in the directory for temporary files. */
const subject: BackendUnderTest = {
  name: "file",
  module: new URL(import.meta.url),
  embedded: true,
  open({ namespace }) {
    const path = folderOf(namespace);
    return file({ path, namespace, clock: { now: () => Date.now() + (offsets.get(caseOf(namespace)) ?? 0) } });
  },
  openOn({ namespace, clock }) {
    const path = mkdtempSync(join(tmpdir(), "perdure-conformance-file-"));
    driven.add(path);
    return file({ path, namespace, clock, synchronous: "off" });
  },
  destroy(namespace) {
    offsets.delete(caseOf(namespace));
    rmSync(folderOf(namespace), { recursive: true, force: true });
  },
  end() {
    for (const path of driven) rmSync(path, { recursive: true, force: true });
    driven.clear();
  },
  advance: move,
  stepBack: (namespace, ms) => move(namespace, -ms),
  async residue(namespace, runId) {
    const folder = folderOf(namespace);
    // What was purged is in the journal until that is compacted.
    await compactFolder(folder);
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    return texts.flatMap((text) => text.split("\n")).filter((line) => line.includes(runId)).length;
  },
};

export default subject;
