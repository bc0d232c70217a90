import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type Change, Container, type Definition } from "./container.ts";
import { Failure, notFound } from "./failure.ts";

type Entry =
  | { readonly do: "create-database" | "delete-database"; readonly database: string }
  | { readonly do: "create"; readonly database: string; readonly definition: Definition }
  | { readonly do: "delete"; readonly database: string; readonly container: string }
  | {
      readonly do: "change";
      readonly database: string;
      readonly container: string;
      readonly changes: readonly Change[];
    };

/** All databases. With a file, each change is one line at its end, so that a process that is killed forgets nothing. */
export class Account {
  readonly #databases = new Map<string, Map<string, Container>>();
  readonly #ranges: number;
  readonly #file: string | undefined;
  #made = 0;

  constructor({ ranges, file }: { readonly ranges: number; readonly file?: string | undefined }) {
    this.#ranges = ranges;
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    // A line that was not finished was not answered.
    for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) this.#apply(JSON.parse(line) as Entry);
  }

  createDatabase(database: string): void {
    if (this.#databases.has(database)) throw new Failure(409, "Resource with specified id already exists.");
    this.#write({ do: "create-database", database });
  }

  database(id: string): ReadonlyMap<string, Container> {
    return this.#databases.get(id) ?? fail();
  }

  deleteDatabase(database: string): void {
    this.database(database);
    this.#write({ do: "delete-database", database });
  }

  createContainer(database: string, definition: Definition): Container {
    if (this.database(database).has(definition.id))
      throw new Failure(409, "Resource with specified id already exists.");
    this.#write({ do: "create", database, definition });
    return this.container(database, definition.id);
  }

  container(database: string, id: string): Container {
    return this.database(database).get(id) ?? fail();
  }

  deleteContainer(database: string, container: string): void {
    this.container(database, container);
    this.#write({ do: "delete", database, container });
  }

  /** All of them, or after a kill none. */
  change(database: string, container: string, changes: readonly Change[]): void {
    if (changes.length > 0) this.#write({ do: "change", database, container, changes });
  }

  #write(entry: Entry): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    switch (entry.do) {
      case "create-database":
        this.#databases.set(entry.database, new Map());
        return;
      case "delete-database":
        this.#databases.delete(entry.database);
        return;
      case "create": {
        this.#made += 1;
        const container = new Container(entry.definition, `C${this.#made.toString(36)}.`, this.#ranges);
        this.#databases.get(entry.database)!.set(container.definition.id, container);
        return;
      }
      case "delete":
        this.#databases.get(entry.database)!.delete(entry.container);
        return;
      case "change":
        this.container(entry.database, entry.container).apply(entry.changes);
        return;
      default:
        entry satisfies never;
    }
  }
}

function fail(): never {
  throw notFound();
}
