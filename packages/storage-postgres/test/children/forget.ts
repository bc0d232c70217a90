import { postgres } from "@perdure/storage-postgres";
import { forget } from "../../../storage-sql/test/children/forget.ts";

const [url, schema] = process.argv.slice(2);
await forget(postgres({ url: url!, schema: schema! }));
