import { check } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { Claimed, LedgerEntry } from "../../crash/ledger.ts";
import type { WrongClock } from "../../crash/order.ts";
import type { RecordedRun } from "../../crash/recorded-run.ts";
import { Supervisor } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { reachVerdict } from "../../crash/verdict.ts";
import { Random } from "../../random.ts";

const TEN_MINUTES = 600_000;
const PATIENCE_MS = 60_000;
/** What an answer may be late by. */
const CLOCK_DRIFT_MS = 5_000;

export const clockSkew: ConformanceCase = {
  id: "crash.clock-skew",
  level: "L4",
  requires: ["crash", "many-machines"],
  nemesis: "skewedClaims",
  invariants: ["I8", "I9", "I10", "I12", "I13", "I24"],
  why: "Clocks of machines differ, and are set while programs run: a worker's wall clock must decide over nobody's lease and over no timer.",
  hint: "Does a time of the client reach a statement? Ask the store.",
  timeoutMs: 120_000,
  async run(t) {
    const { clock } = t.info.capabilities;
    const off = clock.kind === "client" ? Math.floor(clock.errorMs / 2) : TEN_MINUTES;
    const clocks: Record<string, WrongClock> = {
      ahead: { offsetsMs: [off], everyMs: 1 },
      behind: { offsetsMs: [-off], everyMs: 1 },
      jumping: { offsetsMs: [off, 0, -off, off, -off, 0], everyMs: 170 },
    };
    const lab = new Supervisor(t);
    const traffic = new Traffic(await t.open(), new Random(t.random.int(2 ** 31), "client"));
    t.onEnd(() => traffic.client.close());
    const begun = await t.backend.now();
    const beginning = performance.now();
    const names = Object.entries(clocks).map(([name, wrong]) => [name, lab.start({ clock: wrong }).by] as const);

    const isWrong = (entry: LedgerEntry): entry is Claimed =>
      entry.what === "claimed" && Math.abs(entry.clockOffMs) > off / 2;
    const driving = traffic.run();
    try {
      for (const [name, by] of names) {
        const isIts = (entry: LedgerEntry): entry is Claimed => isWrong(entry) && entry.by === by;
        const claim = await lab.entry(0, PATIENCE_MS, isIts);
        traffic.check();
        check(claim, `a worker whose clock is ${name} gets work`);
      }
      let left = t.strikes.skewedClaims;
      const isLast = (entry: LedgerEntry): entry is Claimed => isWrong(entry) && --left <= 0;
      const last = await lab.entry(0, PATIENCE_MS + left * 1_000, isLast);
      traffic.check();
      check(last, `workers whose clocks are wrong get on; ${left} claims are missing`);
    } finally {
      traffic.stop();
      await driving;
    }
    const { recorded, ledger } = await reachVerdict(t, lab, traffic, "the slow");
    const wrong = ledger.filter(isWrong);
    t.count("skewedClaims", wrong.length);
    for (const [name, by] of names)
      t.count(`claims by a worker whose clock is ${name}`, wrong.filter((claim) => claim.by === by).length);
    const error = clock.kind === "client" ? clock.errorMs : 0;
    const ended = await t.backend.now();
    const passed = performance.now() - beginning;
    check(
      Math.abs(ended - begun - passed) <= error + CLOCK_DRIFT_MS,
      `in ${Math.round(passed)} ms the store's clock is moved by as much, and not by ${ended - begun} (I24)`,
    );
    for (const record of recorded) checkTimes(record, begun - error, ended + error, error);
  },
};

/** I24: all times are the store's. I10: no timer has fired early. */
function checkTimes({ run: { runId }, history }: RecordedRun, begun: number, ended: number, error: number): void {
  const due = new Map<number, number>();
  for (const { seq, type, command, at, data } of history) {
    check(begun <= at && at <= ended, `event ${seq} of run "${runId}", ${type}, has the store's time (I24)`);
    if (type === "WORKFLOW_CONTINUED_AS_NEW") due.clear();
    if (type === "TIMER_STARTED") due.set(command!, data.dueAt);
    if (type === "TIMER_FIRED")
      check(at >= (due.get(command!) ?? 0) - error, `the timer at event ${seq} of run "${runId}" is not early (I10)`);
  }
}
