import { sealData } from "../codec/envelope.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";
import type { NewEvent } from "../storage/event.ts";
import type { Continuation } from "./ending.ts";
import type { Execution } from "./execution.ts";
import type { Inheritance, InheritedChild } from "./open-command.ts";

/** The event that ends an execution's generation and begins the next. */
export function continuedEvent(execution: Execution, { input }: Continuation): NewEvent {
  const { environment, generation, cancelRequested, attributes } = execution;
  const { signals, children } = legacyOf(execution);
  const plain = {
    generation: generation + 1,
    signals: signals.map(({ seq }) => seq),
    children: children.map(({ seq }) => seq),
    ...(cancelRequested !== null && { cancelRequested }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
  return {
    type: "WORKFLOW_CONTINUED_AS_NEW",
    command: null,
    at: execution.time(),
    data: sealData(environment.codec, plain, { input }),
  };
}

/** What an execution leaves to the next generation. */
export function legacyOf({ open }: Execution): Inheritance {
  const children = [...open.childrenLeft()].filter(({ parentClose }) => parentClose !== "abandon");
  return {
    signals: open.buffered,
    children: children
      .map(({ seq, runId, incarnation, parentClose }) => ({
        seq,
        runId,
        incarnation,
        parentClose,
        // A generation ends when nothing is owed any more.
        cancelOwed: false,
      }))
      .toSorted((a, b) => a.seq - b.seq),
  };
}

/** The events of earlier generations that the first event of this one refers to, in ascending order. */
export function inheritedSeqs(first: WorkflowEvent | undefined): readonly Seq[] {
  if (first?.type !== "WORKFLOW_CONTINUED_AS_NEW") return [];
  return [...first.data.signals, ...first.data.children].toSorted((a, b) => a - b);
}

/** What a generation has from those before it, out of the events that it refers to. */
export function readInheritance(events: readonly WorkflowEvent[]): Inheritance {
  return {
    signals: events.flatMap((event) => (event.type === "SIGNAL_RECEIVED" ? [{ ...event.data, seq: event.seq }] : [])),
    children: events.flatMap((event) => (event.type === "CHILD_SCHEDULED" ? [inheritedChild(event)] : [])),
  };
}

function inheritedChild({ seq, data }: Extract<WorkflowEvent, { type: "CHILD_SCHEDULED" }>): InheritedChild {
  const { runId, incarnation, parentClose } = data;
  return { seq, runId, incarnation, parentClose, cancelOwed: false };
}
