import { isPerdureError, type StorageBackend, type TaskCommit } from "@perdure/core/storage";
import sqlite from "../backends/sqlite.ts";
import type { BackendUnderTest } from "../src/index.ts";
import { wrapVerbs } from "../src/verbs.ts";

/** SQLite behind an adapter that answers as if every commit of a run was stored, also when there was no room for it. */
const subject: BackendUnderTest = {
  ...sqlite,
  name: "carefree-sqlite",
  module: new URL(import.meta.url),
  open: async (options) => carefree(await sqlite.open(options)),
};
export default subject;

function carefree(honest: StorageBackend): StorageBackend {
  return wrapVerbs(honest, async (verb, args, call) => {
    try {
      return await call();
    } catch (error) {
      const commits = verb === "commitTasks" ? (args[0] as readonly TaskCommit[]) : [];
      const ofRuns = commits.length > 0 && commits.every(({ kind }) => kind === "workflow");
      if (!ofRuns || !isPerdureError(error, "unavailable")) throw error;
      const now = Date.now();
      return commits.map(({ next }) => {
        const held = next.do === "hold";
        return { status: "ok", held, now, leaseUntil: held ? now + 400 : null, inboxLast: 0, messages: [] };
      });
    }
  });
}
