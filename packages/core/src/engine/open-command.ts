import type { AttemptSettings, ResultCache } from "../define/activity.ts";
import type { ActivityContext, RunInTransaction } from "../define/activity-context.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { ParentClose } from "../model/run.ts";
import type { Schema } from "../model/schema.ts";

/** How the promise that the code holds is settled. */
export interface Settler {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Asked for inside `ctx.shield`: a cancel request passes it over. */
  readonly shielded: boolean;
}

/** An activity whose outcome is not recorded. */
export interface OpenActivity extends Settler {
  readonly command: number;
  readonly name: string;
  /** How it is attempted. */
  readonly settings: AttemptSettings;
  readonly inputSchema: Schema | null;
  readonly outputSchema: Schema | null;
  readonly execute: (input: never, context: ActivityContext) => unknown;
  readonly cache: ResultCache | null;
  /** `null`: its result is recorded after its code. */
  readonly transaction: RunInTransaction<unknown> | null;
  readonly input: Payload | null;
  /** Where it runs; `null`: wherever its run does. */
  readonly queue: string | null;
  /** The next attempt may start once history is durable up to here: what the code knew when it asked, the attempts before. */
  gate: Seq;
  /** Number of the next attempt, or of the one that runs. */
  attempt: number;
  /** When the next attempt may start; 0 is at once. */
  dueAt: Millis;
  /** An event of this command is recorded: later ones need not repeat the input. */
  recorded: boolean;
  /** Seq of the ACTIVITY_SCHEDULED that sent it out as a task; `null`: whoever holds the run executes it. */
  task: Seq | null;
}

/** A sleep whose TIMER_FIRED is not recorded. */
export interface OpenTimer extends Settler {
  readonly command: number;
  readonly dueAt: Millis;
}

/** A wait for a signal that has not arrived. */
export interface OpenWait extends Settler {
  readonly command: number;
  readonly signal: string;
  readonly dueAt: Millis | null;
}

/** A child to be created: what its CHILD_SCHEDULED recorded. */
export interface ChildIntent {
  /** Seq of its CHILD_SCHEDULED, by which the child names its parent's command. */
  readonly seq: Seq;
  readonly workflow: string;
  readonly version: string | null;
  readonly runId: string;
  readonly incarnation: string;
  readonly input: Payload;
  readonly queue: string;
  readonly parentClose: ParentClose;
  readonly timeoutMs: number | null;
  readonly state: Payload | null;
}

/** A child whose outcome is not recorded. */
export interface OpenChild extends Settler, ChildIntent {
  readonly command: number;
  /** CHILD_STARTED is recorded. */
  started: boolean;
  /** A cancel of this run is to be passed on to the child. */
  cancelOwed: boolean;
  /** A cancel of this run has rejected what the code awaits of it. */
  interrupted: boolean;
}

/** A child of an earlier generation: nobody awaits it, but its close policy is owed. */
export interface InheritedChild {
  /** Seq of its CHILD_SCHEDULED. */
  readonly seq: Seq;
  readonly runId: string;
  readonly incarnation: string;
  readonly parentClose: ParentClose;
  /** A cancel of this run is to be passed on to the child. */
  cancelOwed: boolean;
}

/** A signal that was received and that nobody has waited for. */
export interface BufferedSignal {
  /** Seq of its SIGNAL_RECEIVED. */
  readonly seq: Seq;
  readonly signal: string;
  readonly payload: unknown;
}

/** What a generation has from those before it. */
export interface Inheritance {
  readonly signals: readonly BufferedSignal[];
  readonly children: readonly InheritedChild[];
}

/** A message to be sent: what its SIGNAL_SENT recorded. */
export interface SendIntent {
  /** Seq of its SIGNAL_SENT. */
  readonly seq: Seq;
  readonly runId: string;
  /** Only this incarnation of the run gets it; `undefined`: any. */
  readonly incarnation?: string | undefined;
  /** `null` asks the run to cancel. */
  readonly signal: string | null;
  readonly payload: Payload;
}

/** A message to another run whose SIGNAL_DELIVERED is not recorded. */
export interface OpenSend extends Settler, SendIntent {
  readonly command: number;
}
