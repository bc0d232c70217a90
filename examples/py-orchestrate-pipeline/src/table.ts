/** As a source has it. */
export interface SourceRow {
  readonly id: string;
  readonly euros: string;
}

/** As the warehouse wants it. */
export interface Row {
  readonly id: string;
  readonly cents: number;
}

/** The rows of one source. */
export interface Table {
  readonly source: string;
  readonly rows: readonly Row[];
}
