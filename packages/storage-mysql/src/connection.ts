import type { Connection, Own, ServerStatement, StatementResult } from "@perdure/storage-sql";
import type { Connection as MysqlClient, QueryError, ResultSetHeader, RowDataPacket, TypeCastField } from "mysql2";
import { sendsTogether } from "./client.ts";
import { isFatal } from "./errors.ts";
import { textOf } from "./literal.ts";

/** What a connection can be asked. */
export interface Bounds {
  /** UTF-8 bytes of the longest text. */
  readonly maxBytes: number;
  /** Milliseconds after which a silent server counts as lost. */
  readonly requestTimeout: number;
  /** How it is asked while others have to wait. */
  readonly own?: Own;
}

/** A UTF-16 unit takes so many bytes at most. */
const BYTES_PER_UNIT = 3;

/** A connection of mysql2. */
export class MysqlConnection implements Connection {
  readonly #client: MysqlClient;
  readonly #bounds: Bounds;
  /** The statements of a trip go out as one text. */
  readonly #together: boolean;
  #loss: unknown;

  constructor(client: MysqlClient, bounds: Bounds) {
    this.#client = client;
    this.#bounds = bounds;
    this.#together = sendsTogether(client);
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    const results: StatementResult[] = [];
    for (const texts of this.#packets(statements.map(textOf))) {
      results.push(...(await this.#query(texts)));
    }
    return results;
  }

  /** Texts that go out together. */
  *#packets(texts: readonly string[]): Iterable<readonly string[]> {
    const { maxBytes } = this.#bounds;
    let packet: string[] = [];
    let bytes = 0;
    for (const text of texts) {
      const more = text.length * BYTES_PER_UNIT;
      if (packet.length > 0 && (!this.#together || bytes + more > maxBytes)) {
        yield packet;
        packet = [];
        bytes = 0;
      }
      packet.push(text);
      bytes += more;
    }
    if (packet.length > 0) yield packet;
  }

  #query(texts: readonly string[]): Promise<readonly StatementResult[]> {
    // It would only wait for an answer that does not come.
    if (this.#loss !== undefined) return Promise.reject(this.#loss as Error);
    const { own = (call) => call() } = this.#bounds;
    return new Promise((resolve, reject) => {
      const options = {
        sql: texts.join(";"),
        timeout: this.#bounds.requestTimeout,
        // Also where the caller's connections have other ideas.
        typeCast,
        rowsAsArray: false,
        nestTables: false,
        namedPlaceholders: false,
      };
      const answered = (error: QueryError | null, result: unknown): void => {
        if (error === null) return resolve((texts.length === 1 ? [result] : (result as unknown[])).map(resultOf));
        // The text holds payloads.
        delete (error as { sql?: string }).sql;
        if (isFatal(error)) this.#loss = error;
        reject(error);
      };
      own(() => this.#client.query(options, answered));
    });
  }
}

function resultOf(result: unknown): StatementResult {
  if (Array.isArray(result)) return { rows: result as RowDataPacket[], count: 0 };
  return { rows: [], count: (result as ResultSetHeader).affectedRows };
}

const NUMBERS: ReadonlySet<string> = new Set(["TINY", "SHORT", "LONG", "INT24", "LONGLONG", "DECIMAL", "NEWDECIMAL"]);

/** Everything that we read is a text or a whole number below 2^53. */
function typeCast(field: TypeCastField): unknown {
  const text = field.string("utf8");
  return text !== null && NUMBERS.has(field.type) ? Number(text) : text;
}
