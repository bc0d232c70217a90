import { postgres } from "@perdure/storage-postgres";
import { setUp } from "../../../storage-sql/test/children/set-up.ts";

const [url, schema] = process.argv.slice(2);
await setUp(postgres({ url: url!, schema: schema! }));
