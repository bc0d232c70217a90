import { Failure } from "../failure.ts";
import type { Expression, Order, Query } from "./syntax.ts";

const TOKEN =
  /\s*(?:("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([0-9]+(?:\.[0-9]+)?)|(@?[A-Za-z_][A-Za-z0-9_]*)|(!=|<>|<=|>=|[=<>()[\]{},.*:-]))/uy;

/** @throws Failure 400 for what is no query, and for what the fixture does not know */
export function parseQuery(text: string): Query {
  return new Parser(text).query();
}

/** The condition of a patch: `from c where …`. */
export function parseCondition(text: string): Expression {
  return new Parser(text).condition();
}

class Parser {
  readonly #tokens: string[] = [];
  #at = 0;
  #alias = "c";

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const match = TOKEN.exec(text);
      if (match === null) throw new Failure(400, `Syntax error in query: ${text}`);
      this.#tokens.push(match[0].trim());
    }
  }

  query(): Query {
    this.#need("SELECT");
    const top = this.#take("TOP") ? this.#primary() : undefined;
    const isValue = this.#take("VALUE");
    const at = this.#at;
    const from = this.#tokens.findIndex((token, index) => index >= at && token.toUpperCase() === "FROM");
    if (from < 0) throw new Failure(400, "The query has no FROM.");
    this.#alias = this.#tokens[from + 1] ?? "c";
    const select = this.#take("*") ? [] : this.#list(() => this.#column());
    this.#need("FROM");
    this.#at += 1;
    const where = this.#take("WHERE") ? this.#or() : undefined;
    const orderBy = this.#take("ORDER") ? this.#orders() : [];
    if (this.#at < this.#tokens.length) throw new Failure(400, `Unexpected ${this.#tokens[this.#at]} in query.`);
    return { top, isValue, select, where, orderBy, alias: this.#alias };
  }

  condition(): Expression {
    this.#need("FROM");
    this.#alias = this.#next();
    this.#need("WHERE");
    return this.#or();
  }

  #column(): readonly [string, Expression] {
    const value = this.#or();
    if (this.#take("AS")) return [this.#next(), value];
    return [value.is === "path" ? (value.names.at(-1) ?? this.#alias) : "$1", value];
  }

  #orders(): readonly Order[] {
    this.#need("BY");
    return this.#list(() => {
      const value = this.#primary();
      if (value.is !== "path") throw new Failure(400, "Only properties can be ordered by.");
      const isDescending = this.#take("DESC");
      if (!isDescending) this.#take("ASC");
      return { names: value.names, isDescending };
    });
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take("OR")) left = { is: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#take("AND")) left = { is: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    return this.#take("NOT") ? { is: "not", of: this.#not() } : this.#comparison();
  }

  #comparison(): Expression {
    const left = this.#primary();
    for (const by of ["=", "!=", "<>", "<=", ">=", "<", ">"] as const) {
      if (this.#take(by)) return { is: "compare", by: by === "<>" ? "!=" : by, left, right: this.#primary() };
    }
    if (!this.#take("IN")) return left;
    this.#need("(");
    const list = this.#list(() => this.#primary());
    this.#need(")");
    return { is: "in", of: left, list };
  }

  #primary(): Expression {
    const token = this.#next();
    if (token === "(") {
      const inner = this.#or();
      this.#need(")");
      return inner;
    }
    if (token === "[") return { is: "array", items: this.#until("]", () => this.#or()) };
    if (token === "{") return { is: "object", entries: this.#until("}", () => this.#entry()) };
    if (token === "-") return { is: "value", value: -Number(this.#next()) };
    if (token.startsWith("@")) return { is: "parameter", name: token };
    if (/^["']/u.test(token)) return { is: "value", value: textOf(token) };
    if (/^[0-9]/u.test(token)) return { is: "value", value: Number(token) };
    const word = token.toLowerCase();
    if (word === "true" || word === "false") return { is: "value", value: word === "true" };
    if (word === "null" || word === "undefined") return { is: "value", value: word === "null" ? null : undefined };
    if (token === this.#alias) return { is: "path", names: this.#names() };
    if (this.#take("(")) return { is: "call", name: token.toUpperCase(), args: this.#until(")", () => this.#or()) };
    throw new Failure(400, `Identifier '${token}' could not be resolved.`);
  }

  #entry(): readonly [string, Expression] {
    const name = textOf(this.#next());
    this.#need(":");
    return [name, this.#or()];
  }

  #names(): string[] {
    const names: string[] = [];
    for (;;) {
      if (this.#take(".")) names.push(this.#next());
      else if (this.#take("[")) {
        names.push(textOf(this.#next()));
        this.#need("]");
      } else return names;
    }
  }

  #list<T>(one: () => T): T[] {
    const items = [one()];
    while (this.#take(",")) items.push(one());
    return items;
  }

  #until<T>(end: string, one: () => T): T[] {
    if (this.#take(end)) return [];
    const items = this.#list(one);
    this.#need(end);
    return items;
  }

  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Failure(400, "The query ends too early.");
    this.#at += 1;
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at]?.toUpperCase() !== token) return false;
    this.#at += 1;
    return true;
  }

  #need(token: string): void {
    if (!this.#take(token))
      throw new Failure(400, `Expected ${token} in query, not ${this.#tokens[this.#at] ?? "its end"}.`);
  }
}

function textOf(token: string): string {
  if (token.startsWith('"')) return JSON.parse(token) as string;
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll(/\\(.)/gu, "$1");
  return token;
}
