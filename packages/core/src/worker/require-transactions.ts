import { UsageError } from "../errors/index.ts";
import type { StorageInfo } from "../storage/info.ts";

/** @throws UsageError `unsupported` where a transactional activity cannot be, for want of a storage that joins its transactions */
export function requireTransactions(activity: string, { name, capabilities }: StorageInfo): void {
  if (capabilities.transactions.includes("commitTasks")) return;
  throw new UsageError(
    "unsupported",
    `Activity "${activity}" is transactional, and storage "${name}" cannot join a transaction of yours. Leave out its \`transaction\`, or use a storage that can.`,
    { details: { activity, storage: name } },
  );
}
