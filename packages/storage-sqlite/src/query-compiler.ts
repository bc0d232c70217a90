import { type ColumnUpdateNode, type InsertQueryNode, SqliteQueryCompiler } from "kysely";

/**
 * Writes SQL whose plan does not depend on its parameters. SQLite with STAT4, as better-sqlite3 builds it, looks at the values of
 * parameters that conditions and limits name directly, and for that plans a statement anew each time that they are bound. That and
 * what better-sqlite3 then does anew cost 6 to 130 µs for a read of 2 µs. SQLite does not look into an expression, so every
 * parameter but those that are stored is put into one.
 */
export class SteadyQueryCompiler extends SqliteQueryCompiler {
  #isStored = false;

  protected override visitInsertQuery(node: InsertQueryNode): void {
    this.#stored(() => super.visitInsertQuery(node));
  }

  protected override visitColumnUpdate(node: ColumnUpdateNode): void {
    this.#stored(() => super.visitColumnUpdate(node));
  }

  protected override appendValue(parameter: unknown): void {
    if (this.#isStored) return super.appendValue(parameter);
    this.append("ifnull(");
    super.appendValue(parameter);
    this.append(", null)");
  }

  #stored(write: () => void): void {
    const before = this.#isStored;
    this.#isStored = true;
    write();
    this.#isStored = before;
  }
}
