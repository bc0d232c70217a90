import type { Pool, PoolClient } from "pg";

/**
 * Takes a connection of a pool. While it is lent, the pool does not listen to it, and an error that nobody listens to would end the
 * process. The error may come right behind the connection, before a promise of it is heard: so this does not wait for one.
 */
export function borrow(pool: Pool): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) {
        reject(error!);
        return;
      }
      client.on("error", ignore);
      resolve(client);
    });
  });
}

/** Gives a connection back, for others or to be closed. */
export function giveBack(client: PoolClient, isToBeClosed = false): void {
  client.release(isToBeClosed);
  client.off("error", ignore);
}

/** Whoever uses the connection hears of its end from what fails. */
function ignore(): void {}
