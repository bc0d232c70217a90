import type { Site } from "../station/site.ts";

/** What the rows say about the storage. */
export async function describeStorage({ storage }: Site): Promise<{ readonly durability: string }> {
  await storage.setup();
  return { durability: storage.info.capabilities.durability };
}
