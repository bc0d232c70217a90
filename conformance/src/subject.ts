import type { Millis, StorageBackend } from "@perdure/core/storage";
import type { ServerAddress } from "./proxy/proxy.ts";

/** The wall clock of one client's machine. */
export interface ClientClock {
  now(): Millis;
}

/** What the suite asks of {@link BackendUnderTest.open}. */
export interface OpenOptions {
  /**
   * Names one isolated set of runs: `[a-z0-9_]{1,40}`. Clients of one namespace see the same runs, those of another nothing
   * of them. The namespaces of one case agree up to the first `_`; they belong into one store.
   */
  readonly namespace: string;
  /**
   * The client's own clock, possibly minutes off. A backend whose server has the clock ignores it, and so does one whose
   * clients share a machine; it is for backends that declare `clock: "client"`.
   */
  readonly clock: ClientClock;
  /**
   * Where to connect instead of {@link BackendUnderTest.server}: something that passes everything on to it, or what
   * {@link BackendUnderTest.startServer} started.
   */
  readonly server?: ServerAddress;
}

/** A server that one case has for itself. */
export interface OwnServer extends ServerAddress {
  /** Ends it with SIGKILL, or as abruptly. Resolves when it is gone; what it stored stays. */
  kill(): Promise<void>;
  /** Starts it again, where it was and with what it stored. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it, and removes all that it stored. */
  stop(): Promise<void>;
}

/** What the author of a backend hands to the suite. Only `name` and `open` are required. */
export interface BackendUnderTest {
  /** For reports. */
  readonly name: string;

  /**
   * A new client, independent of every other: its own connection, its own memory. Called once or many times on one
   * namespace. The suite calls `setup()` and `close()`.
   */
  open(options: OpenOptions): StorageBackend | Promise<StorageBackend>;

  /**
   * A client of a new store whose only clock is this one: it stands still unless the suite moves it, and may be set back. Enables
   * simulations (L5), in which minutes pass in milliseconds and a seed reproduces everything. For stores that read a clock which tests can
   * drive.
   */
  openOn?(options: Pick<OpenOptions, "namespace" | "clock">): StorageBackend | Promise<StorageBackend>;

  /** The store underneath and its version, for reports: `PostgreSQL 15.20`. */
  version?(): string | Promise<string>;

  /** Removes a namespace after its case, when all of its clients are closed. Without it, stores are left behind. */
  destroy?(namespace: string): void | Promise<void>;

  /** Removes what the subject itself needed, when no case is left. It may be used again after that. */
  end?(): void | Promise<void>;

  /**
   * A module that exports this subject by default: enables crash tests (L4). Child processes import it with plain Node, and `open`
   * reaches the same store there by the namespace alone. Their clock runs by itself.
   */
  readonly module?: URL;

  /**
   * Where the clients connect, for backends behind a network: enables cases in which connections break (L4). The suite then puts
   * a proxy before it, and has `open` connect there.
   */
  readonly server?: ServerAddress;

  /**
   * Starts a server of a case's own: an empty one, ready for `open`, which stores as durably as users' do. Enables cases that kill
   * servers (L4). Child processes of the case reach it by its address, too.
   */
  startServer?(): Promise<OwnServer>;

  /**
   * For backends that declare `durability: "bounded-loss"`: what was acknowledged so many milliseconds before {@link OwnServer.kill} is
   * there after `restart`. Enables, with `startServer`, the cases in which a server comes back with less than it had (L4). A `kill` that
   * ends processes only and leaves the machine may lose nothing; one that takes away what was not synced shows more.
   */
  readonly lossMs?: number;

  /**
   * Has the server forget what clients taught it to be faster, and no data: scripts, prepared statements, plans. Of other cases, too, if it
   * knows no difference. Enables the case that nobody notices (L4).
   */
  forgetCaches?(namespace: string): void | Promise<void>;

  /**
   * Whether the processes of clients write the files of the store themselves, as they do where there is no server. Enables the case
   * in which there is no room left (L4): workers cannot write beyond some length of any file.
   */
  readonly embedded?: boolean;

  /**
   * Works in a transaction of the store underneath, on a connection of its own, in its usual isolation: gives `run` what the verbs of
   * `backend` take as `tx`, commits when `run` has resolved, rolls back when it has rejected, and answers or throws what it did. For
   * backends that declare `transactions`: their cases `tx.*` fail without it.
   */
  transaction?<T>(namespace: string, backend: StorageBackend, run: (tx: unknown) => Promise<T>): Promise<T>;

  /**
   * Raw records that the store holds of a run, counted underneath the adapter: rows, keys, documents. Enables the proof that
   * purge leaves none.
   */
  residue?(namespace: string, runId: string): number | Promise<number>;

  /**
   * Moves the namespace's idea of now forward by `ms`, for all of its clients, at once. Without it the suite waits in real
   * time with short leases, and cases that need hours are not applicable.
   */
  advance?(namespace: string, ms: number): void | Promise<void>;

  /**
   * Sets the clock underneath the namespace back by `ms`, as an administrator would: the store must not follow it. Only for
   * stores that read a clock which tests can drive.
   */
  stepBack?(namespace: string, ms: number): void | Promise<void>;
}
