import { postgres } from "@perdure/storage-postgres";
import { startPostgres } from "perdure-servers";
import pg from "pg";
import { onTestFinished } from "vitest";
import { describeLostConnections } from "../../storage-sql/test/lost-connections.ts";
import { newSchema, terminate, url } from "./scratch.ts";

describeLostConnections({
  async newStore() {
    const schema = newSchema();
    const application_name = schema;
    return {
      open: () => postgres({ url, schema, pool: { application_name, max: 4 } }),
      openInPool() {
        const pool = new pg.Pool({ connectionString: url, application_name });
        // As its documentation asks for: about connections that nobody uses.
        pool.on("error", () => {});
        onTestFinished(() => pool.end());
        return postgres({ pool, schema });
      },
      endConnections: () => terminate(application_name),
    };
  },
  start: startPostgres,
  open: (server) => postgres({ url: server, pool: { max: 4 } }),
});
