/** What can be measured, and its unit. */
export const units = {
  runs_per_second: "runs/s",
  starts_per_second: "starts/s",
  statements_per_run: "statements/run",
  commits_per_run: "commits/run",
  worker_cpu_ms_per_run: "ms/run",
  server_cpu_ms_per_run: "ms/run",
  rss_mb: "MB",
  floor_runs_per_second: "runs/s",
  ratio: "",
  p50_ms: "ms",
  p99_ms: "ms",
  us_per_activity: "µs",
  us_per_activity_first_100: "µs",
  us_per_activity_last_100: "µs",
  replay_ms: "ms",
  resume_ms: "ms",
  fan_ms: "ms",
  late_p50_ms: "ms",
  late_p99_ms: "ms",
  statements_per_second: "statements/s",
  cpu_percent: "%",
} as const;

export type Figure = keyof typeof units;

/** The circumstances that a figure depends on: rows that differ in them are different rows. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A workload that a backend cannot do by what it says of itself. */
export interface NotApplicable {
  readonly backend: string;
  readonly workload: string;
  readonly reason: string;
}

/** One figure of one workload on one backend, over all repeats. */
export interface Row {
  /** Ours is `perdure`. */
  readonly engine: string;
  readonly backend: string;
  readonly workload: string;
  readonly figure: Figure;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Number of repeats. */
  readonly n: number;
  readonly settings: Settings;
}
