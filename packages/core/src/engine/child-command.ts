import { encodeAs } from "../codec/encode-as.ts";
import type { ChildHandle, ChildOptions } from "../define/context.ts";
import { requireName } from "../define/require-name.ts";
import { requireReason } from "../define/require-reason.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { UsageError } from "../errors/index.ts";
import { requireOptions } from "../errors/require-options.ts";
import { validateNow } from "../errors/validate.ts";
import type { EventOf } from "../model/event.ts";
import { childIncarnation } from "./child-name.ts";
import type { Execution } from "./execution.ts";
import type { ChildIntent, OpenChild, Settler } from "./open-command.ts";
import { forCode, openPromise } from "./open-promise.ts";
import { type Recipient, send, sendCancel } from "./send-command.ts";

/** The largest state that is recorded with the intent. */
const RECORDED_STATE_CHARACTERS = 64 * 1024;

/** Starts a child run: the intent is recorded, the run created after that is durable. */
export function startChild(
  execution: Execution,
  definition: AnyWorkflow,
  input: unknown,
  options: ChildOptions = {},
): ChildHandle<unknown> {
  if (definition?.kind !== "workflow") {
    throw new UsageError("unknown-workflow", "ctx.child needs a workflow definition. Pass what workflow(…) returned.");
  }
  const { codec } = execution.environment;
  const encoded = encodeAs(codec, checked(definition, input), "input of child workflow", definition.name);
  requireChildOptions(options);
  const asked = execution.ask(["CHILD_SCHEDULED"], definition.name);
  if (asked === null) return unborn(options);

  const { command, recorded } = asked;
  const { initialState } = definition;
  const state = initialState === null ? null : codec.encode(initialState(codec.decode(encoded)));
  const intent = recorded ?? recordIntent(execution, command, definition, { input: encoded, state }, options);
  const { workflow, version, queue, parentClose, timeoutMs, incarnation } = intent.data;
  const intended: Omit<OpenChild, keyof Settler> = {
    command,
    seq: intent.seq,
    workflow,
    version: version ?? null,
    runId: intent.data.runId,
    incarnation,
    input: recorded === undefined ? encoded : codec.encode(recorded.data.input),
    queue,
    parentClose,
    timeoutMs: timeoutMs ?? null,
    state: recorded?.data.state === undefined ? state : codec.encode(recorded.data.state),
    started: false,
    cancelOwed: false,
    interrupted: false,
  };
  let child: OpenChild;
  const promise = openPromise((settler) => {
    child = { ...intended, ...settler };
    execution.open.children.set(command, child);
  });
  // It is there all the same: what is told is who awaits it.
  if (execution.owedCancel.isOwed) {
    execution.owedCancel.add((error) => {
      child.interrupted = true;
      child.reject(error);
    });
  }
  return handle(execution, { runId: intended.runId, incarnation }, forCode(promise), () => {
    if (child.interrupted) execution.owedCancel.seen();
  });
}

function requireChildOptions(options: ChildOptions): void {
  requireOptions(options, "ctx.child", { id: true, parentClose: true, queue: true });
  const { id, queue, parentClose } = options;
  if (id !== undefined) requireName(id, "id of a child run");
  if (queue !== undefined) requireName(queue, "queue of a child run");
  if (parentClose === undefined || ["cancel", "terminate", "abandon"].includes(parentClose)) return;
  throw new UsageError(
    "invalid-argument",
    `parentClose of ctx.child is ${JSON.stringify(parentClose)}. Give "cancel", "terminate" or "abandon".`,
  );
}

/** The child's id is known at once, so its schema has to answer at once. */
function checked(definition: AnyWorkflow, input: unknown): unknown {
  if (definition.inputSchema === null) return input;
  return validateNow(definition.inputSchema, input, `input of child workflow "${definition.name}"`);
}

type Intent = Pick<EventOf<"CHILD_SCHEDULED">, "seq" | "data">;

function recordIntent(
  execution: Execution,
  command: number,
  definition: AnyWorkflow,
  { input, state }: Pick<ChildIntent, "input" | "state">,
  options: ChildOptions,
): Intent {
  const seq = execution.head + 1;
  const incarnation = childIncarnation(execution.run.incarnation, seq);
  const data = {
    workflow: definition.name,
    ...(definition.version !== null && { version: definition.version }),
    runId: options.id ?? `child-${incarnation}`,
    incarnation,
    queue: options.queue ?? definition.queue,
    parentClose: options.parentClose ?? "cancel",
    ...(definition.timeoutMs !== null && { timeoutMs: definition.timeoutMs }),
  };
  // Beside a large input, a large state might be more than an event can hold.
  const small = state !== null && state.length <= RECORDED_STATE_CHARACTERS ? state : undefined;
  execution.record("CHILD_SCHEDULED", command, data, { input, state: small });
  return { seq, data: { ...data, input: undefined } };
}

/** The handle of a child that is not asked for: nothing is answered, and a stranger that has its id hears nothing. */
function unborn({ id = "" }: ChildOptions): ChildHandle<unknown> {
  const promise = new Promise<never>(() => {});
  return {
    runId: id,
    // oxlint-disable-next-line unicorn/no-thenable -- a child handle is awaited for the child's result
    then: (onResult, onError) => promise.then(onResult, onError),
    signal: () => promise,
    cancel: () => promise,
  };
}

function handle(
  execution: Execution,
  to: Recipient,
  promise: Promise<unknown>,
  awaited: () => void = () => {},
): ChildHandle<unknown> {
  return {
    runId: to.runId,
    // oxlint-disable-next-line unicorn/no-thenable -- a child handle is awaited for the child's result
    then: (onResult, onError) => {
      awaited();
      return promise.then(onResult, onError);
    },
    signal: (signal, payload) => forCode(send(execution, to, signal, payload)),
    cancel: (options) => forCode(sendCancel(execution, to, requireReason(options?.reason))),
  };
}
