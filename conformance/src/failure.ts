/** What there is to say about a failure beyond what was compared. */
export interface FailureDetails {
  /** The calls that lead to it, as code. */
  readonly calls?: string;
  /** By the word that stands before each. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** A promise of the port that was seen broken. */
export class ConformanceFailure extends Error {
  readonly expected: unknown;
  readonly actual: unknown;
  /** Options that reproduce it, where the seed of the whole run is not enough. */
  again: string | undefined;
  /** Whether `expected` and `actual` say something. */
  readonly compared: boolean;
  /** The calls that lead to it, as code; where there are none, the last ones of the case say it. */
  readonly calls: string | undefined;
  readonly notes: Readonly<Record<string, string>>;

  static {
    this.prototype.name = "ConformanceFailure";
  }

  constructor(
    message: string,
    values?: { readonly expected: unknown; readonly actual: unknown },
    { calls, notes = {} }: FailureDetails = {},
  ) {
    super(message);
    this.compared = values !== undefined;
    this.expected = values?.expected;
    this.actual = values?.actual;
    this.calls = calls;
    this.notes = notes;
  }

  /** The same, with more to say. */
  with({ calls = this.calls, notes }: FailureDetails): ConformanceFailure {
    const { expected, actual } = this;
    return new ConformanceFailure(this.message, this.compared ? { expected, actual } : undefined, {
      ...(calls !== undefined && { calls }),
      notes: { ...this.notes, ...notes },
    });
  }
}
