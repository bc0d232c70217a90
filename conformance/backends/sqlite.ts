import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@perdure/storage-sqlite";
import type { BackendUnderTest } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";

/** How far the machine's clock is moved, by case. */
const offsets = new Map<string, number>();

/** All namespaces of one case share a file. Child processes find it by the same name. */
function folderOf(namespace: string): string {
  return join(tmpdir(), `perdure-conformance-${caseOf(namespace)}`);
}

function move(namespace: string, ms: number): void {
  offsets.set(caseOf(namespace), (offsets.get(caseOf(namespace)) ?? 0) + ms);
}

/** Tables whose rows belong to a run, by its number. */
const OWNED = ["events", "tasks", "activities", "inbox", "attributes", "cache"];

/** One file for each case, in the directory for temporary files. */
const subject: BackendUnderTest = {
  name: "sqlite",
  module: new URL(import.meta.url),
  embedded: true,
  open({ namespace }) {
    mkdirSync(folderOf(namespace), { recursive: true });
    const path = join(folderOf(namespace), "store.db");
    return sqlite({ path, namespace, clock: { now: () => Date.now() + (offsets.get(caseOf(namespace)) ?? 0) } });
  },
  openOn: ({ namespace, clock }) => sqlite({ path: ":memory:", namespace, clock }),
  async version() {
    const { default: Database } = await import("better-sqlite3");
    const db = new Database(":memory:");
    const { version } = db.prepare("select sqlite_version() as version").get() as { readonly version: string };
    db.close();
    return `SQLite ${version}`;
  },
  destroy(namespace) {
    offsets.delete(caseOf(namespace));
    rmSync(folderOf(namespace), { recursive: true, force: true });
  },
  advance: move,
  stepBack: (namespace, ms) => move(namespace, -ms),
  async residue(namespace, runId) {
    // The adapter's own driver: closing a file through a second copy of SQLite would drop the locks of the first.
    const { default: Database } = await import("better-sqlite3");
    const db = new Database(join(folderOf(namespace), "store.db"), { readonly: true });
    try {
      const own = "not in (select no from perdure_runs where id <> :id)";
      const counts = OWNED.map((table) => `(select count(*) from perdure_${table} where run ${own})`);
      const sum = `select (select count(*) from perdure_runs where id = :id) + ${counts.join(" + ")} as records`;
      return (db.prepare(sum).get({ id: runId }) as { readonly records: number }).records;
    } finally {
      db.close();
    }
  },
};

export default subject;
