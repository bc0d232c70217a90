import type { TaskId } from "../model/ids.ts";
import type { Attributes, RunStatus } from "../model/run.ts";
import {
  checkId,
  checkIncarnation,
  checkInstant,
  checkList,
  checkPayload,
  checkText,
  checkWhole,
  checkWord,
  refuse,
} from "./argument.ts";
import type { NewEvent } from "./event.ts";
import type { Limits } from "./info.ts";
import type { NewMessage } from "./message.ts";
import type { Claim } from "./task.ts";

// What several verbs take.

/** Bounds of a priority. */
const PRIORITY = { min: -9, max: 9 } as const;

/** The statuses that a run ends in. */
export const CLOSED_STATUSES: readonly RunStatus[] = ["completed", "failed", "cancelled"];

/** Length of the longest id that `activityTaskId` mints: incarnation, dot, seq, colon, run id. */
const TASK_ID_BYTES = 64 + 1 + 16 + 1 + 255;

export function checkTaskId(taskId: TaskId, field: string): void {
  checkText(taskId, field, 1, TASK_ID_BYTES);
}

export function checkPriority(priority: number, field: string): void {
  checkWhole(priority, field, PRIORITY.min, PRIORITY.max);
}

export function checkClaim(claim: Claim, field: string): void {
  checkTaskId(claim.taskId, field);
  checkId(claim.runId, field);
  checkIncarnation(claim.incarnation, field);
  checkWhole(claim.epoch, field, 1);
}

export function checkMessage(message: NewMessage, limits: Limits): void {
  checkId(message.runId, "NewMessage.runId");
  if (message.incarnation !== undefined) checkIncarnation(message.incarnation, "NewMessage.incarnation");
  checkId(message.dedupeId, "NewMessage.dedupeId");
  checkPayload(message.data, "NewMessage.data", limits.payloadBytes);
}

export function checkEvent(event: NewEvent, field: string, limits: Limits): void {
  checkId(event.type, field);
  if (event.command !== null) checkWhole(event.command, field, 0);
  checkInstant(event.at, field);
  checkPayload(event.data, field, limits.payloadBytes);
}

export function checkAttributes(attributes: Attributes, field: string): void {
  for (const [name, value] of Object.entries(attributes)) {
    checkId(name, field);
    if (typeof value === "string") checkText(value, field, 0, 255);
    else if (typeof value === "number" ? !Number.isFinite(value) : typeof value !== "boolean") {
      refuse(field, "texts, finite numbers or booleans");
    }
  }
}

export function checkIds(ids: readonly string[], field: string, limits: Limits): void {
  checkList(ids, field, limits.batch);
  for (const id of ids) checkId(id, field);
}

export function checkWords(words: readonly string[], field: string, allowed: readonly string[]): void {
  checkList(words, field, allowed.length);
  for (const word of words) checkWord(word, field, allowed);
}
