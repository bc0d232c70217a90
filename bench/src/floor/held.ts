/** A run that is worked on: the key of its records, its fencing token, and the head of its history. */
export interface Held {
  readonly no: number;
  readonly epoch: number;
  seq: number;
  readonly input: number;
}

export const LEASE_MS = 15_000;

export const OUTPUT = '{"ok":true,"value":42}';

/** The data of the event that ends a run. */
export const CLOSED_DATA = `{"output":${OUTPUT}}`;

/** The data of the event of an activity. */
export function activityData({ input }: Held, activity: number): string {
  return `{"activity":"noop","attempt":1,"input":${input + activity - 1},"output":${OUTPUT}}`;
}
