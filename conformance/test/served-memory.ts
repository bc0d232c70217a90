import { createMemoryStore, memory, type MemoryStore } from "@perdure/core/memory";
import type { StorageBackend, StorageInfo } from "@perdure/core/storage";
import type { BackendUnderTest, OwnServer, ServerAddress } from "../src/index.ts";
import { wrapVerbs } from "../src/verbs.ts";
import { killableServer, listen, remote, type Service, withInfo } from "./behind-a-port.ts";

/**
 * The memory backend behind a port: the process of the test is the server, and other processes are its clients. A store that
 * survives its workers, to try the crash lab with; `breakIt` makes mutants of it.
 */
const SERVER = "PERDURE_TEST_SERVER";

/** What a test spoils. */
export const mutation: {
  /** Verbs, for every client. */
  breakIt: (honest: StorageBackend) => Partial<StorageBackend>;
  /** A case's own server has an empty store when it was killed. */
  forgets: boolean;
  /** The store takes the time from whoever calls. */
  believes: boolean;
} = { breakIt: () => ({}), forgets: false, believes: false };

let toldOffMs = 0;
const clock = { now: () => Date.now() + toldOffMs };

const store = createMemoryStore();
const [pid, port] = (process.env[SERVER] ?? "").split(" ").map(Number);
const child = port !== undefined && pid !== process.pid;
const server: ServerAddress = { host: "127.0.0.1", port: child ? port : await listenHere() };

const subject: BackendUnderTest = {
  name: "served-memory",
  module: new URL(import.meta.url),
  server,
  open: ({ namespace, server: through }) =>
    child || through ? remote(through ?? server, namespace) : local(namespace, store),
  startServer,
};
export default subject;

function local(namespace: string, of: MemoryStore): StorageBackend {
  const honest = wrapVerbs(memory({ namespace, store: of, clock }), (_verb, _args, call) => call());
  return withInfo({ ...honest, ...mutation.breakIt(honest) }, declared(honest.info));
}

function declared(info: StorageInfo): StorageInfo {
  return {
    ...info,
    capabilities: {
      ...info.capabilities,
      processes: "many",
      durability: "replicated",
      wakeups: "none",
      transactions: [],
    },
  };
}

async function listenHere(): Promise<number> {
  const own = await listen(serviceOf(() => store));
  process.env[SERVER] = `${process.pid} ${own}`;
  return own;
}

function serviceOf(of: () => MemoryStore): Service {
  return {
    open: (namespace) => local(namespace, of()),
    onCall: (at) => void (toldOffMs = mutation.believes ? at - Date.now() : toldOffMs),
  };
}

function startServer(): Promise<OwnServer> {
  let kept = createMemoryStore();
  return killableServer(
    () => serviceOf(() => kept),
    () => void (kept = mutation.forgets ? createMemoryStore() : kept),
  );
}
