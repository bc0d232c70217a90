import Database from "better-sqlite3";

type Execute = (...args: readonly unknown[]) => unknown;

/** Counts every statement that better-sqlite3 executes in this process from now on, `begin` and `commit` too. */
export function countSqliteStatements(): () => number {
  let count = 0;
  const database = new Database(":memory:");
  const statements = Object.getPrototypeOf(database.prepare("select 1")) as Record<string, Execute>;
  database.close();
  for (const name of ["run", "get", "all"]) {
    const execute = statements[name]!;
    statements[name] = function counted(this: unknown, ...args: unknown[]): unknown {
      count++;
      return execute.apply(this, args);
    };
  }
  return () => count;
}
