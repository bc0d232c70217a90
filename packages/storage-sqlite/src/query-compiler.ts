import { type LimitNode, type OffsetNode, SqliteQueryCompiler, type WhereNode } from "kysely";

/**
 * Writes SQL whose plan does not depend on its parameters. SQLite with STAT4, as better-sqlite3 builds it, looks at the values of
 * parameters that conditions and limits name directly, and for that plans a statement anew each time that they are bound: 6 µs for
 * a read of 1 µs. It does not look into an expression.
 */
export class SteadyQueryCompiler extends SqliteQueryCompiler {
  #isPlanned = false;

  protected override visitWhere(node: WhereNode): void {
    this.#planned(() => super.visitWhere(node));
  }

  protected override visitLimit(node: LimitNode): void {
    this.#planned(() => super.visitLimit(node));
  }

  protected override visitOffset(node: OffsetNode): void {
    this.#planned(() => super.visitOffset(node));
  }

  protected override appendValue(parameter: unknown): void {
    if (!this.#isPlanned) return super.appendValue(parameter);
    this.append("ifnull(");
    super.appendValue(parameter);
    this.append(", null)");
  }

  #planned(write: () => void): void {
    const before = this.#isPlanned;
    this.#isPlanned = true;
    write();
    this.#isPlanned = before;
  }
}
