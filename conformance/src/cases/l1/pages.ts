import type { Page, RunQuery, RunSummary, StorageBackend } from "@perdure/core/storage";
import { check } from "../../assert.ts";
import type { CaseContext } from "../../context.ts";

/** Every page of a query, to the end. */
export async function pages(backend: StorageBackend, query: RunQuery): Promise<readonly Page<RunSummary>[]> {
  const seen: Page<RunSummary>[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RunSummary> = await backend.listRuns({ ...query, ...(cursor !== null && { cursor }) });
    check(page.items.length <= query.limit, "a page has at most limit items");
    seen.push(page);
    check(seen.length < 5_000, "pages come to an end");
    ({ cursor } = page);
  } while (cursor !== null);
  return seen;
}

/** The ids on all pages of a query. */
export async function ids(
  backend: StorageBackend,
  query: Omit<RunQuery, "limit">,
  limit = 100,
): Promise<readonly string[]> {
  return (await pages(backend, { ...query, limit })).flatMap(({ items }) => items.map(({ runId }) => runId));
}

/** Creates runs one after another, each a little later than the one before. */
export async function createInOrder(t: CaseContext, count: number): Promise<readonly string[]> {
  const created: string[] = [];
  for (let index = 0; index < count; index++) {
    created.push((await t.create()).runId);
    await t.time.pass(2);
  }
  return created;
}
