import { mysql } from "@perdure/storage-mysql";
import { forget } from "../../../storage-sql/test/children/forget.ts";

const [url] = process.argv.slice(2);
await forget(mysql(url!));
