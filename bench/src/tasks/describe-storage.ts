import type { Site } from "../station/site.ts";

/** What the rows say about the storage. */
export async function describeStorage({
  storage,
}: Site): Promise<{ readonly durability: string; readonly processes: "one" | "many" }> {
  await storage.setup();
  const { durability, processes } = storage.info.capabilities;
  return { durability, processes };
}
