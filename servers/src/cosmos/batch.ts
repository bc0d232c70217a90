import type { Draft } from "./draft.ts";
import { Failure } from "./failure.ts";
import { type Body, type Item, MOST_BYTES, sizeOf } from "./item.ts";
import type { Patch } from "./patch.ts";
import { readCharge, writeCharge } from "./charge.ts";

/** One operation of a batch, as clients send it. */
export interface Operation {
  readonly operationType: "Create" | "Upsert" | "Replace" | "Read" | "Delete" | "Patch";
  readonly id?: string;
  readonly resourceBody?: Body | Patch;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

interface Outcome {
  readonly statusCode: number;
  readonly requestCharge: number;
  readonly eTag?: string;
  readonly resourceBody?: unknown;
}

/** A transactional batch: 200 with what each operation answers, or 207 with the one that failed, and 424 for all others. */
export function runBatch(
  draft: Draft,
  operations: readonly Operation[],
): { status: number; outcomes: readonly Outcome[] } {
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > 100)
    throw new Failure(400, "Batch request has more operations than what is supported, or none.");
  if (sizeOf(operations) > MOST_BYTES) throw new Failure(413, "Request size is too large.");
  const outcomes: Outcome[] = [];
  for (const [index, operation] of operations.entries()) {
    try {
      outcomes.push(run(draft, operation));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { status, body } = error;
      return {
        status: 207,
        outcomes: operations.map((_, at) =>
          at === index
            ? { statusCode: status, requestCharge: 1, resourceBody: body }
            : { statusCode: 424, requestCharge: 0 },
        ),
      };
    }
  }
  return { status: 200, outcomes };
}

function run(draft: Draft, operation: Operation): Outcome {
  const { operationType, id = "", resourceBody } = operation;
  switch (operationType) {
    case "Read":
      return read(draft.read(id, operation));
    case "Create":
      return written(201, draft.create(resourceBody as Body));
    case "Upsert":
      return written(200, draft.upsert(resourceBody as Body, operation));
    case "Replace":
      return written(200, draft.replace(id, resourceBody as Body, operation));
    case "Patch":
      return written(200, draft.patch(id, resourceBody as Patch, operation));
    case "Delete":
      draft.delete(id, operation);
      return { statusCode: 204, requestCharge: writeCharge(0) };
    default:
      throw new Failure(400, `Unknown operation ${String(operationType satisfies never)}.`);
  }
}

function read(item: Item): Outcome {
  return { statusCode: 200, requestCharge: readCharge(sizeOf(item)), eTag: item["_etag"], resourceBody: item };
}

function written(statusCode: number, item: Item): Outcome {
  return { statusCode, requestCharge: writeCharge(sizeOf(item)), eTag: item["_etag"], resourceBody: item };
}
