import { mysql } from "@perdure/storage-mysql";
import { setUp } from "../../../storage-sql/test/children/set-up.ts";

const [url] = process.argv.slice(2);
await setUp(mysql(url!));
