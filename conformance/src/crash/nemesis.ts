import { setTimeout as sleep } from "node:timers/promises";
import type { CaseContext } from "../context.ts";
import type { Random } from "../random.ts";
import { Hands } from "./hands.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { LabWorker, Supervisor } from "./supervisor.ts";

/** If nothing of the kind has happened by then, somebody is killed all the same. */
const PATIENCE_MS = 1_500;

/** When a worker is killed: at any moment, or when it has just written down one of these. */
type Aim = "any moment" | "claimed" | "began" | "took" | "saved" | "ended" | "acked";

const AIMS: readonly Aim[] = [
  "any moment",
  "any moment",
  "any moment",
  "claimed",
  "began",
  "began",
  "took",
  "saved",
  "ended",
  "acked",
];

/** Kills workers, one after the other, and starts a new one for each. */
export async function killAtRandom(
  t: CaseContext,
  lab: Supervisor,
  random: Random,
  kills: number,
  check: () => void,
): Promise<void> {
  const hands = new Hands();
  for (let kill = 0; kill < kills; kill++) {
    check();
    const aim = random.pick(AIMS);
    const delayMs = random.int(231);
    const anybody = random.pick(lab.workers);
    if (aim === "any moment") await sleep(20 + delayMs);
    const victim = aim === "any moment" ? anybody : ((await takeAim(lab, aim, delayMs)) ?? anybody);
    await lab.kill(victim);
    note(t, hands, lab.ledger(), victim.by, aim);
    lab.start();
  }
}

/**
 * The worker that comes to this moment, after some that are let pass: else no run would get anywhere. The kill often follows some
 * milliseconds later, inside of what comes then.
 */
async function takeAim(lab: Supervisor, aim: Aim, delayMs: number): Promise<LabWorker | undefined> {
  const from = lab.ledger().length;
  let passing = delayMs % 11;
  const entry = await lab.entry(from, PATIENCE_MS, (one): one is LedgerEntry => one.what === aim && passing-- === 0);
  if (delayMs % 3 > 0) await sleep(delayMs % 7);
  return lab.workers.find(({ by }) => by === entry?.by);
}

/** Counts what a kill has hit. */
function note(t: CaseContext, hands: Hands, ledger: readonly LedgerEntry[], by: string, aim: Aim): void {
  const { held, running } = hands.of(by, ledger);
  t.count("kills");
  if (aim === "any moment") t.count("kills at any moment");
  if (held.size > 0) t.count("kills that hit a held run");
  if (running.size > 0) t.count("kills that hit a running activity");
}
