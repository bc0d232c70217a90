import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { limitFiles } from "../../crash/file-limit.ts";
import { findAgain } from "../../crash/find-again.ts";
import type { Failed, LedgerEntry } from "../../crash/ledger.ts";
import { getOn } from "../../crash/progress.ts";
import { LEASE_MS, Supervisor } from "../../crash/supervisor.ts";
import { Traffic } from "../../crash/traffic.ts";
import { reachVerdict } from "../../crash/verdict.ts";
import { Random } from "../../random.ts";

const PATIENCE_MS = 30_000;
/** What workers may still write down: their ledger is a file like others. */
const LEDGER_ROOM = 64 * 1024;
/** After so many there are other workers, with an empty ledger: files can only be short where it is. */
const STRIKES_OF_A_ROUND = 5;

export const diskFull: ConformanceCase = {
  id: "crash.disk-full",
  level: "L4",
  requires: ["crash", "embedded"],
  nemesis: "fullDisks",
  invariants: ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I12", "I13", "I29"],
  why: "A disk gets full while workers work: whoever cannot write is told so, loses nothing that was acknowledged, and goes on when there is room again.",
  hint: "Is an error of the file system thrown as `unavailable`? Is a write that was cut short undone, or known as such when it is read?",
  timeoutMs: 120_000,
  async run(t) {
    const randoms = ["nemesis", "client"].map((label) => new Random(t.random.int(2 ** 31), label));
    const storage = await t.open();
    for (let left = t.strikes.fullDisks; left > 0; left -= STRIKES_OF_A_ROUND)
      await fill(t, storage, Math.min(left, STRIKES_OF_A_ROUND), randoms as [Random, Random]);
  },
};

/** Takes the room away from two busy workers, some times. */
async function fill(
  t: CaseContext,
  storage: StorageBackend,
  strikes: number,
  [nemesis, client]: readonly [Random, Random],
): Promise<void> {
  const lab = new Supervisor(t);
  const traffic = new Traffic(storage, client);
  t.onEnd(() => traffic.client.close());
  const workers = [lab.start(), lab.start()];
  const limitAll = (bytes: number | "unlimited"): Promise<unknown> =>
    Promise.all(workers.map(({ process }) => limitFiles(process.pid, bytes)));

  const driving = traffic.run();
  try {
    let checked = 0;
    for (let strike = 0; strike < strikes; strike++) {
      await getOn(lab, traffic, 5 + nemesis.int(20), "when there is room");
      const from = lab.ledger().length;
      await limitAll(lab.ledgerBytes + LEDGER_ROOM);
      for (const { by } of workers) {
        const failed = (entry: LedgerEntry): entry is Failed => entry.what === "failed" && entry.by === by;
        check(
          await lab.entry(from, PATIENCE_MS, failed),
          `worker ${by} is refused what it writes where there is no room`,
        );
      }
      t.count("fullDisks");
      await sleep(nemesis.int(2 * LEASE_MS));
      const written = lab.ledger().length;
      await limitAll("unlimited");
      t.count(
        "acknowledged commits that were found again",
        await findAgain(storage, lab.ledger().slice(checked, written)),
      );
      checked = written;
    }
    for (const { by } of workers) await getOn(lab, traffic, 1, "when there is room again", by);
  } finally {
    traffic.stop();
    await driving;
  }
  const { ledger } = await reachVerdict(t, lab, traffic, "all");
  for (const entry of ledger) {
    if (entry.what !== "failed") continue;
    equal(entry.code, "unavailable", `${entry.verb} without room says so by its code: ${entry.message} (I29)`);
    t.count(`${entry.verb} refused for want of room`);
  }
}
