import { Connection } from "mysql2";

type Query = (this: unknown, ...args: unknown[]) => NodeJS.EventEmitter;

/** What prepares a connection for its work, as a text of its own. */
const SET_UP = /^set\s(?!transaction)/iu;

/**
 * Counts every statement that mysql2 has a server execute in this process from now on, without those that set a connection up. A
 * text of many statements has a result for each: to look for them in the text would take long.
 */
export function countMysqlStatements(): () => number {
  let count = 0;
  const connection = Connection.prototype as unknown as Record<"query" | "execute", Query>;
  for (const name of ["query", "execute"] as const) {
    const execute = connection[name];
    connection[name] = function counted(...args) {
      const command = execute.apply(this, args);
      if (!SET_UP.test(textOf(args[0] as string | { readonly sql: string })))
        command.on("fields", () => {
          count++;
        });
      return command;
    };
  }
  return () => count;
}

function textOf(query: string | { readonly sql: string }): string {
  return typeof query === "string" ? query : query.sql;
}
