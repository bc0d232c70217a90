/** A value to be computed from an item. */
export type Expression =
  | { readonly is: "value"; readonly value: unknown }
  | { readonly is: "parameter"; readonly name: string }
  /** Property names from the item on; none is the item itself. */
  | { readonly is: "path"; readonly names: readonly string[] }
  | { readonly is: "not"; readonly of: Expression }
  | { readonly is: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | {
      readonly is: "compare";
      readonly by: "=" | "!=" | "<" | "<=" | ">" | ">=";
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly is: "in"; readonly of: Expression; readonly list: readonly Expression[] }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: "array"; readonly items: readonly Expression[] }
  | { readonly is: "object"; readonly entries: readonly (readonly [string, Expression])[] };

export interface Order {
  readonly names: readonly string[];
  readonly isDescending: boolean;
}

/** A query of the part of the language that the fixture knows. */
export interface Query {
  readonly top: number | Expression | undefined;
  /** `SELECT VALUE`: the one expression itself. */
  readonly isValue: boolean;
  /** Name and value; none is `*`. */
  readonly select: readonly (readonly [string, Expression])[];
  readonly where: Expression | undefined;
  readonly orderBy: readonly Order[];
  readonly alias: string;
}

export type Parameters = ReadonlyMap<string, unknown>;
