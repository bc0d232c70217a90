import { setTimeout as sleep } from "node:timers/promises";
import type { CaseContext } from "../context.ts";
import type { Random } from "../random.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { LabWorker, Supervisor } from "./supervisor.ts";

/** A worker that has nothing to do by then is killed all the same. */
const PATIENCE_MS = 1_500;

/** When a worker is killed: at any moment, or just after it has written down one of these. */
type Aim = "any moment" | "claimed" | "began" | "ended" | "acked";

const AIMS: readonly Aim[] = ["any moment", "any moment", "any moment", "claimed", "began", "began", "ended", "acked"];

/** Kills workers, one after the other, and starts a new one for each. */
export async function killAtRandom(
  t: CaseContext,
  lab: Supervisor,
  random: Random,
  kills: number,
  check: () => void,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    check();
    const victim = random.pick(lab.workers);
    const aim = random.pick(AIMS);
    const delayMs = random.int(231);
    if (aim === "any moment") await sleep(20 + delayMs);
    else await takeAim(lab, victim, aim, delayMs);
    await lab.kill(victim);
    note(t, lab.ledger(), victim.by, aim);
    lab.start();
  }
}

/** Waits for the moment. The later ones lie some milliseconds after what was written down, inside of what follows from it. */
async function takeAim(lab: Supervisor, { by }: LabWorker, aim: Aim, delayMs: number): Promise<void> {
  const from = lab.ledger().length;
  await lab.entry(from, PATIENCE_MS, (entry): entry is LedgerEntry => entry.by === by && entry.what === aim);
  if (delayMs % 3 > 0) await sleep(delayMs % 7);
}

/** Counts what a kill has hit. */
function note(t: CaseContext, ledger: readonly LedgerEntry[], by: string, aim: Aim): void {
  const held = new Set<string>();
  const running = new Map<string, string>();
  for (const entry of ledger) {
    if (entry.by !== by) continue;
    const { what, run } = entry;
    if (what === "claimed") held.add(run);
    else if (what === "refused" || (what === "acked" && entry.next !== "hold")) held.delete(run);
    else if (what === "began") running.set(entry.execution, run);
    else if (what === "ended") running.delete(entry.execution);
  }
  t.count("kills");
  if (aim === "any moment") t.count("kills at any moment");
  if (held.size > 0) t.count("kills that hit a held run");
  if (running.size > 0) t.count("kills that hit a running activity");
}
