/**
 * The backends whose tests are left out, by the names in `PERDURE_SKIP_BACKENDS` (for example `mysql,postgres`).
 * The summary of the tests repeats them.
 */
export function skippedBackends(): readonly string[] {
  const names = (process.env["PERDURE_SKIP_BACKENDS"] ?? "").split(",").map((name) => name.trim().toLowerCase());
  return [...new Set(names.filter((name) => name !== ""))].toSorted();
}
