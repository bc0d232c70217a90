import type { ClaimRequest, ClaimResult, CommitResult, TaskCommit } from "@perdure/core/storage";
import type { ConnectionPool, Shortcuts, SqlDriver, Store, TopicCode } from "@perdure/storage-sql";
import { PlainClaims } from "./claim.ts";
import { PlainCommits } from "./commit.ts";
import { isConflict } from "./errors.ts";

/** Claims and commits in one statement and one trip each. */
export class PostgresShortcuts implements Shortcuts {
  readonly #claims: PlainClaims;
  readonly #commits: PlainCommits;

  constructor(pool: ConnectionPool, driver: SqlDriver, schema: string, clock: string) {
    const table = (name: string): string => `"${schema.replaceAll('"', '""')}".perdure_${name}`;
    this.#claims = new PlainClaims(pool, driver, table, clock);
    this.#commits = new PlainCommits(pool, driver, table, clock);
  }

  claim(store: Store, request: ClaimRequest): Promise<ClaimResult | undefined> {
    return orElse(this.#claims.claim(store, request), undefined);
  }

  commit(
    store: Store,
    commits: readonly TaskCommit[],
    topics: Set<TopicCode>,
  ): Promise<readonly (CommitResult | undefined)[]> {
    return orElse(
      this.#commits.apply(store, commits, topics),
      commits.map(() => undefined),
    );
  }
}

/** What the server gave up in favour of others goes the general way, which tries again. */
async function orElse<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isConflict(error)) return otherwise;
    throw error;
  }
}
