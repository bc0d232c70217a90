import { type Client, createClient } from "@perdure/core";
import type { Site } from "../station/site.ts";

/** As an operator's page shows them. */
const NEWEST = { limit: 100, pages: 10, rounds: 20 };
/** As a script walks through them. */
const WALKED = 1_000;

/** Milliseconds of each page. */
export interface Listed {
  /** Short pages from the newest run on, again and again. */
  readonly newest: readonly number[];
  /** Long pages through the whole list, once. */
  readonly all: readonly number[];
}

/**
 * Lists runs.
 * @throws Error unless the whole list has so many runs, each once
 */
export async function list({ storage }: Site, { runs }: { readonly runs: number }): Promise<Listed> {
  const client = createClient({ storage });
  const newest: number[] = [];
  for (let round = 0; round < NEWEST.rounds; round++)
    newest.push(...(await walk(client, NEWEST.limit, NEWEST.pages)).ms);
  const all = await walk(client, WALKED, Infinity);
  await client.close();
  if (all.runs !== runs || all.different !== runs)
    throw new Error(`Of ${runs} runs the list has ${all.runs}, ${all.different} different ones.`);
  return { newest, all: all.ms };
}

interface Walk {
  readonly ms: readonly number[];
  readonly runs: number;
  readonly different: number;
}

async function walk(client: Client, limit: number, pages: number): Promise<Walk> {
  const ms: number[] = [];
  const seen = new Set<string>();
  let count = 0;
  for (let cursor: string | null = null; ms.length < pages;) {
    const from = performance.now();
    const page: Awaited<ReturnType<Client["list"]>> = await client.list({}, { limit, cursor });
    ms.push(performance.now() - from);
    count += page.runs.length;
    for (const { runId } of page.runs) seen.add(runId);
    ({ cursor } = page);
    if (cursor === null) break;
  }
  return { ms, runs: count, different: seen.size };
}
