import type { Connection } from "./connection.ts";
import { ALL_SCRIPTS } from "./scripts.ts";

/** Gives the servers the scripts that they do not know yet, so that no verb has to send one as a rule. */
export async function loadScripts(connection: Connection): Promise<void> {
  await connection.send(() =>
    Promise.all(
      connection.masters().map(async (master) => {
        const known = await master.script("EXISTS", ...ALL_SCRIPTS.map(({ sha }) => sha));
        const missing = ALL_SCRIPTS.filter((_, i) => (known as readonly number[])[i] !== 1);
        await Promise.all(missing.map(({ text }) => master.script("LOAD", text)));
      }),
    ),
  );
}
