import { forOneProcess } from "./locked-sqlite.ts";

/** SQLite that says that it is for one process, and lets others in. */
export default forOneProcess(new URL(import.meta.url), false);
