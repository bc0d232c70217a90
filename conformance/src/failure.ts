/** A promise of the port that was seen broken. */
export class ConformanceFailure extends Error {
  readonly expected: unknown;
  readonly actual: unknown;
  /** Options that reproduce it, where the seed of the whole run is not enough. */
  again: string | undefined;
  /** Whether `expected` and `actual` say something. */
  readonly compared: boolean;

  static {
    this.prototype.name = "ConformanceFailure";
  }

  constructor(message: string, values?: { readonly expected: unknown; readonly actual: unknown }) {
    super(message);
    this.compared = values !== undefined;
    this.expected = values?.expected;
    this.actual = values?.actual;
  }
}
