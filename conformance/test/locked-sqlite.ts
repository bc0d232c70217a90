import { tmpdir } from "node:os";
import { join } from "node:path";
import { rmSync } from "node:fs";
import { type StorageBackend, StorageError, type StorageInfo } from "@perdure/core/storage";
import Database from "better-sqlite3";
import { caseOf } from "../backends/case-of.ts";
import sqlite from "../backends/sqlite.ts";
import type { BackendUnderTest } from "../src/index.ts";
import { wrapVerbs } from "../src/verbs.ts";

interface Lock {
  readonly db: Database.Database;
  holders: number;
}

/** Of this process, by store. */
const locks = new Map<string, Lock>();

function lockFile(namespace: string): string {
  return join(tmpdir(), `perdure-conformance-${caseOf(namespace)}.lock`);
}

/** The operating system drops the lock with the process. */
function lock(path: string): void {
  const there = locks.get(path);
  if (there !== undefined) return void there.holders++;
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec("begin exclusive");
  } catch (cause) {
    db.close();
    const message = `Another process has the store open (its lock is ${path}). Close it there, or wait for that process to end.`;
    throw new StorageError("unavailable", message, { cause });
  }
  locks.set(path, { db, holders: 1 });
}

function unlock(path: string): void {
  const held = locks.get(path);
  if (held === undefined || --held.holders > 0) return;
  held.db.close();
  locks.delete(path);
}

/** SQLite as a store for one process. `locks`: whether it sees to that. */
export function forOneProcess(module: URL, locksIt: boolean): BackendUnderTest {
  return {
    ...sqlite,
    name: "sqlite for one process",
    module,
    async open(options) {
      const honest = await sqlite.open(options);
      const path = lockFile(options.namespace);
      let holds = false;
      const backend = wrapVerbs(honest, async (verb, _args, call) => {
        if (verb === "close") {
          const closed = await call();
          if (holds) unlock(path);
          holds = false;
          return closed;
        }
        if (!holds && locksIt) {
          lock(path);
          holds = true;
        }
        return call();
      });
      return alone(backend);
    },
    async destroy(namespace) {
      await sqlite.destroy!(namespace);
      rmSync(lockFile(namespace), { force: true });
    },
  };
}

function alone(backend: StorageBackend): StorageBackend {
  const { capabilities } = backend.info;
  const info: StorageInfo = {
    ...backend.info,
    capabilities: { ...capabilities, processes: "one", wakeups: "in-process" },
  };
  return { ...backend, info };
}

export default forOneProcess(new URL(import.meta.url), true);
