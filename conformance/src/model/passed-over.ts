import type { Call, Exchange } from "./call.ts";

/** A claim that has passed a task over says that it is to be looked for again so soon. */
const SOON_MS = 1_000;

/**
 * A claim may pass over a task that another call is writing to just then, if it says to look again soon. Answers the same claim for those
 * tasks alone that were handed out, or nothing for any other call.
 */
export function askingInPart(exchange: Exchange): Call | undefined {
  if (exchange.verb !== "claimTasks") return undefined;
  const { now, nextReadyAt, tasks } = exchange.answer;
  if (nextReadyAt === null || nextReadyAt > now + SOON_MS) return undefined;
  const [request] = exchange.args;
  const names = tasks.flatMap((task) => (task.kind === "activity" ? [task.task.activity] : []));
  const activities = request.handlers.activities.filter((name) => names.includes(name));
  const kinds = request.kinds.filter((kind) => tasks.some((task) => task.kind === kind));
  const overdue = request.overdue && tasks.some(({ kind }) => kind === "workflow");
  return { verb: "claimTasks", args: [{ ...request, kinds, overdue, handlers: { ...request.handlers, activities } }] };
}
