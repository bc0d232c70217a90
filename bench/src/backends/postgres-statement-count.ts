import { Client } from "pg";
import { statementsIn } from "./statements-in.ts";

type Query = (...args: readonly unknown[]) => unknown;

interface QueryConfig {
  readonly text?: string;
  readonly name?: string;
  readonly values?: readonly unknown[];
}

/** Counts every statement that node-postgres gives to a server in this process from now on, without those that set a connection up. */
export function countPostgresStatements(): () => number {
  let count = 0;
  const client = Client.prototype as unknown as { query: Query };
  const { query } = client;
  client.query = function counted(this: unknown, ...args: unknown[]): unknown {
    count += statementsOf(args[0] as string | QueryConfig, args[1]);
    return query.apply(this, args);
  };
  return () => count;
}

function statementsOf(first: string | QueryConfig, second: unknown): number {
  const {
    text = "",
    name,
    values = Array.isArray(second) ? second : [],
  } = typeof first === "string" ? { text: first } : first;
  // What is prepared, or has parameters, is one statement by the protocol.
  return name !== undefined || values.length > 0 ? 1 : statementsIn(text);
}
