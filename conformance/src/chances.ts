/** How much of L5, where chance decides, is played. */
export interface Chances {
  /** Random sequences, histories and worlds of each case; by default each case has its own number, and a larger one of the large numbers. */
  readonly runs?: number;
  /** The folder in which what has failed is kept, to be tried first; the command and test frameworks keep it in `.perdure-conformance`. */
  readonly failures?: string;
}
