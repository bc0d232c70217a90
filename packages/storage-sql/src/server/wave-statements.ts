import { compile, kyselyFor, type Query, type Statement as Compiled } from "../query.ts";
import type { Step } from "../steps.ts";
import type { Statement, StatementResult } from "./connection.ts";
import { POSITION, type ServerDialect } from "./server-dialect.ts";
import type { Wave } from "./waves.ts";

/** One statement for many has changed some rows, and does not say which: the transaction has to be done anew, with one for each. */
export class Unclear extends Error {}

/** Makes waves into statements, and their results into answers. */
export class WaveStatements {
  readonly #dialect: ServerDialect;
  readonly #kysely: ReturnType<typeof kyselyFor>;
  readonly #compiled: (Compiled | undefined)[] = [];

  constructor(dialect: ServerDialect) {
    this.#dialect = dialect;
    this.#kysely = kyselyFor(dialect);
  }

  /** One statement if the dialect can and the wave may be done `together`; else one for each step. */
  of({ steps }: Wave, together: boolean): readonly Statement[] {
    const [{ query }] = steps as [Step];
    if (together && steps.length > 1 && !query.isTransient) {
      const statement = this.#dialect.many(
        query,
        steps.map(({ args }) => args),
      );
      if (statement !== undefined) return [statement];
    }
    return steps.map(({ args }) => this.#one(query, args));
  }

  /** The answers to the steps of a wave. @throws Unclear */
  answers({ steps }: Wave, results: readonly StatementResult[]): readonly unknown[] {
    if (results.length === steps.length) return steps.map((step, at) => answerOf(step, results[at]!));
    return answersOfOne(steps, results[0]!);
  }

  #one(query: Query, args: object): Statement {
    const { sql, bind } = this.#compiled[query.id] ?? this.#compile(query);
    return query.isTransient ? { sql, values: bind(args) } : { sql, values: bind(args), name: `${query.id}` };
  }

  #compile(query: Query): Compiled {
    const compiled = compile(query, this.#kysely, this.#dialect);
    if (!query.isTransient) this.#compiled[query.id] = compiled;
    return compiled;
  }
}

function answerOf({ want }: Step, { rows, count }: StatementResult): unknown {
  switch (want) {
    case "rows":
      return rows;
    case "row":
      return rows[0];
    case "count":
      return count;
    case "nothing":
      return undefined;
    default:
      return want satisfies never;
  }
}

/** One statement was executed for all steps. */
function answersOfOne(steps: readonly Step[], { rows, count }: StatementResult): readonly unknown[] {
  const { want } = steps[0]!;
  if (want === "nothing") return [];
  if (want === "count") {
    if (count !== 0 && count !== steps.length) throw new Unclear();
    return steps.map(() => (count === 0 ? 0 : 1));
  }
  const byStep: object[][] = steps.map(() => []);
  for (const { [POSITION]: step, ...row } of rows as readonly { readonly [POSITION]: number }[])
    byStep[step]!.push(row);
  return want === "rows" ? byStep : byStep.map(([first]) => first);
}
