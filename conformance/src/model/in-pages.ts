import { compareBytes, type Page, type RunQuery, type RunSummary, type StorageBackend } from "@perdure/core/storage";
import { check } from "../assert.ts";

/** So many pages hold every run of a sequence, one on each. */
const MOST_PAGES = 10;

/** All runs that a query finds, page by page, as one page; they must come newest first, and each page in its limit (I19). */
export async function inPages(backend: StorageBackend, query: RunQuery): Promise<Page<RunSummary>> {
  const items: RunSummary[] = [];
  let cursor: string | null = null;
  for (let page = 0; page === 0 || cursor !== null; page++) {
    check(page < MOST_PAGES, "a listing ends (I19)");
    const found: Page<RunSummary> = await backend.listRuns(cursor === null ? query : { ...query, cursor });
    check(found.items.length <= query.limit, "a page has no more runs than its limit (I19)");
    items.push(...found.items);
    cursor = found.cursor;
  }
  for (const [index, run] of items.entries()) {
    const before = items[index - 1];
    check(before === undefined || isBefore(before, run), "runs are listed newest first, then by id, none twice (I19)");
  }
  return { items, cursor };
}

function isBefore(first: RunSummary, second: RunSummary): boolean {
  if (first.createdAt !== second.createdAt) return first.createdAt > second.createdAt;
  return compareBytes(first.runId, second.runId) > 0;
}
