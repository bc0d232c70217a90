import { requireAttributes } from "../define/require-attributes.ts";
import { requireName } from "../define/require-name.ts";
import { type BlockReason, readBlockReason } from "../engine/block-reason.ts";
import { UsageError } from "../errors/index.ts";
import { requireInstant } from "../errors/require-instant.ts";
import { requireOptions } from "../errors/require-options.ts";
import type { Millis } from "../model/ids.ts";
import type { Attributes, RunStatus } from "../model/run.ts";
import type { RunQuery, RunSummary } from "../storage/run.ts";
import { shownStatus, type ShownStatus } from "./describe.ts";

/** Which runs to list; absent conditions do not filter. */
export interface ListFilter {
  /** As stored: a run that shows as `pending`, `running` or `suspended` is `open`. */
  readonly status?: RunStatus | readonly RunStatus[];
  /** `true`: only blocked ones. `false`: only others. */
  readonly blocked?: boolean;
  /** The workflow's name. */
  readonly workflow?: string;
  readonly queue?: string;
  readonly parentRunId?: string;
  /** Each of them has this very value. */
  readonly attributes?: Attributes;
  /** Inclusive. */
  readonly createdAfter?: Date;
  /** Exclusive. */
  readonly createdBefore?: Date;
}

/** Which part of a list. */
export interface ListPage {
  /** 1 … 1000. Default 50. */
  readonly limit?: number;
  /** `cursor` of the page before. */
  readonly cursor?: string | null;
}

/** A run in a list. Times are those of the storage's clock. */
export interface ListedRun {
  readonly runId: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly status: ShownStatus;
  /** Why no code goes on with it; `null` for a run that is not blocked. */
  readonly blocked: BlockReason | null;
  readonly queue: string;
  /** −9 … 9. */
  readonly priority: number;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly closedAt: Date | null;
  readonly parentRunId: string | null;
}

const FILTERS = {
  status: true,
  blocked: true,
  workflow: true,
  queue: true,
  parentRunId: true,
  attributes: true,
  createdAfter: true,
  createdBefore: true,
} as const;

const STATUSES: readonly string[] = ["open", "completed", "failed", "cancelled"] satisfies RunStatus[];

/** @throws UsageError `invalid-argument` */
export function runQuery(filter: ListFilter, page: ListPage): RunQuery {
  requireOptions(filter, "The filter of client.list", FILTERS);
  requireOptions(page, "The page of client.list", { limit: true, cursor: true });
  const { status, blocked, attributes, createdAfter, createdBefore } = filter;
  const { limit = 50, cursor } = page;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1_000)
    throw invalid(`limit of client.list must be a whole number from 1 to 1000, not ${String(limit)}.`);
  return {
    ...(status !== undefined && { status: requireStatuses(status, STATUSES, "client.list") as readonly RunStatus[] }),
    ...(blocked !== undefined && { blocked: requireBoolean(blocked) }),
    ...names(filter),
    ...(attributes !== undefined && { attributes: requireAttributes(attributes) }),
    ...(createdAfter !== undefined && { createdAfter: requireInstant(createdAfter, "createdAfter of client.list") }),
    ...(createdBefore !== undefined && {
      createdBefore: requireInstant(createdBefore, "createdBefore of client.list"),
    }),
    ...(cursor !== undefined && cursor !== null && { cursor: requireCursor(cursor) }),
    limit,
  };
}

/**
 * One status or several, as a list.
 * @throws UsageError `invalid-argument` for what is not in `known`
 */
export function requireStatuses(given: unknown, known: readonly string[], of: string): readonly string[] {
  const statuses = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  const wrong = statuses.find((status) => !known.includes(status as string));
  if (wrong === undefined) return statuses as readonly string[];
  throw invalid(`status of ${of} is ${JSON.stringify(wrong)}. It may be ${known.join(", ")}.`);
}

/** A row of a list, for people. */
export function listedRun(run: RunSummary, now: Millis): ListedRun {
  const { runId, workflow, version, queue, priority, attributes, createdAt, closedAt, task, parent } = run;
  return {
    runId,
    workflow,
    version,
    status: shownStatus(run, now),
    blocked: task === null ? null : readBlockReason(task.blocked),
    queue,
    priority,
    attributes,
    createdAt: new Date(createdAt),
    closedAt: closedAt === null ? null : new Date(closedAt),
    parentRunId: parent?.runId ?? null,
  };
}

function names(filter: ListFilter): Pick<RunQuery, "workflow" | "queue" | "parentRunId"> {
  const given = (["workflow", "queue", "parentRunId"] as const).filter((name) => filter[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, requireName(filter[name], `${name} of client.list`)]));
}

function requireBoolean(blocked: unknown): boolean {
  if (typeof blocked === "boolean") return blocked;
  throw invalid(`blocked of client.list is ${JSON.stringify(blocked)}. Give true or false, or leave it out.`);
}

function requireCursor(cursor: unknown): string {
  if (typeof cursor === "string") return cursor;
  throw invalid(
    "cursor of client.list must be the text that the page before came with. Leave it out for the first page.",
  );
}

function invalid(message: string): UsageError {
  return new UsageError("invalid-argument", message);
}
