import type { NewRun } from "@perdure/core/storage";
import type { ServerAddress } from "../proxy/proxy.ts";
import type { Plan } from "./workflows.ts";

/** What the supervisor tells a process of the lab, as JSON in its first argument. */
export interface ProcessOrder {
  /** Of the subject. */
  readonly module: string;
  readonly namespace: string;
  /** Where it connects, if not to the subject's server. */
  readonly server?: ServerAddress;
  /** Process id of the supervisor: without it nobody needs this process. */
  readonly supervisor: number;
}

/** A worker. */
export interface WorkerOrder extends ProcessOrder {
  readonly by: string;
  /** Path of the ledger's file. */
  readonly ledger: string;
  readonly leaseMs: number;
  /** Folder for the marks of who has stopped already. */
  readonly marks: string;
  /** What its wall clock says; absent: the truth. */
  readonly clock?: WrongClock;
}

/** A wall clock that is off. */
export interface WrongClock {
  /** How far, one after the other, and from the beginning again. */
  readonly offsetsMs: readonly number[];
  /** When it jumps to the next. */
  readonly everyMs: number;
}

/** A client that kills itself when its n-th write was acknowledged. */
export interface ClientOrder extends ProcessOrder {
  readonly seed: number;
  readonly writes: number;
}

/** A run that somebody is to see through. */
export interface SoloRun {
  readonly runId: string;
  readonly plan: Plan;
  /** Whether it is the one that takes signals. */
  readonly signalled: boolean;
}

/** A worker that is its own client, too. */
export interface SoloOrder extends WorkerOrder {
  readonly runs: readonly SoloRun[];
}

/** A process that opens a store and creates a run. */
export interface IntruderOrder extends ProcessOrder {
  readonly run: NewRun;
}
