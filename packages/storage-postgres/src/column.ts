/** Separates texts, and stands for null among them. JSON contains neither. */
const SEPARATOR = "\u001e";
const NULL = "\u001f";

/** What stands around a parameter to make an array of it, by kind. */
const SQL = {
  /** Nothing but nulls. */
  n: null,
  w: ["string_to_array(", ", ',', '')::bigint[]"],
  t: ["string_to_array(", String.raw`, E'\x1e', E'\x1f')`],
  /** Texts that contain what separates others. */
  a: ["", "::text[]"],
} as const;

type Kind = keyof typeof SQL;

/**
 * The values of one argument, as one parameter. Joined texts cost the driver, the network and the server less than an array: the
 * driver would look at every character for what must be escaped.
 */
export class Column {
  readonly kind: Kind;
  readonly values: readonly unknown[];
  /** It is one value: that is a parameter by itself. */
  readonly isOne: boolean;

  constructor(values: readonly unknown[]) {
    this.values = values;
    this.isOne = values.length === 1;
    this.kind = kindOf(values as readonly (string | number | null)[]);
  }

  get value(): unknown {
    return this.isOne ? this.values[0] : parameterOf(this.values as readonly (string | number | null)[], this.kind);
  }

  /** How many characters its texts have. */
  get length(): number {
    if (this.kind !== "t" && this.kind !== "a") return 0;
    return this.values.reduce<number>((sum, value) => sum + ((value as string | null)?.length ?? 0), 0);
  }

  /** What the SQL around it depends on. */
  get form(): string {
    return this.isOne ? this.kind.toUpperCase() : this.kind;
  }

  get sql(): readonly [before: string, after: string] | null {
    return SQL[this.kind];
  }
}

function kindOf(values: readonly (string | number | null)[]): Kind {
  let kind: Kind = "n";
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (typeof value === "number") return "w";
    if (value.includes(SEPARATOR) || value.includes(NULL)) return "a";
    kind = "t";
  }
  return kind;
}

function parameterOf(values: readonly (string | number | null)[], kind: Kind): unknown {
  switch (kind) {
    case "n":
      return null;
    case "w":
      return values.map((value) => value ?? "").join(",");
    case "t":
      return values.map((value) => value ?? NULL).join(SEPARATOR);
    case "a":
      return values;
    default:
      return kind satisfies never;
  }
}

/**
 * The characters of the longest statement: far below what a text may have in JavaScript and a message on its way to the server, also
 * if each takes three bytes.
 */
const MAX_LENGTH = 2 ** 26;

/** Whether so much fits one statement. What does not goes out in several. */
export function fitOne(columns: readonly Column[]): boolean {
  return columns.reduce((sum, { length }) => sum + length, 0) <= MAX_LENGTH;
}
