// A process at a user's place. Arguments: the module of the places, the name of the place, and its role.
import { createClient, createWorker, workflow } from "@perdure/core";
import type { UsersPlaces } from "../users-place.ts";
import { paid, take } from "../users-shop.ts";

/** What it says. */
export interface Did {
  readonly did: "begun" | "started" | "paid" | "opened";
  /** A run. */
  readonly of?: string;
}

const [module = "", name = "", role] = process.argv.slice(2);
const { default: places } = (await import(module)) as { readonly default: UsersPlaces };
const { db, open } = places.at(name);
const storage = open();
const say = (message: Did): void => void process.send!(message);
process.once("disconnect", () => process.exit());

/** Tells what happens to it. */
const told = workflow({ name: "told" }, async (ctx) => {
  await ctx.run("started", () => say({ did: "started", of: ctx.runId }));
  await ctx.waitFor(paid);
  await ctx.run("paid", () => say({ did: "paid", of: ctx.runId }));
});

if (role === "work") {
  void createWorker({ storage, workflows: [told] }).run();
  await storage.setup();
  say({ did: "begun" });
} else {
  const client = createClient({ storage });
  say({ did: "begun" });
  await db.transaction().execute(async (tx) => {
    await take(tx, "pen");
    await client.start(told, undefined, { id: "of the dead", tx });
    await client.handle("open").signal(paid, "of the dead", { tx });
    say({ did: "opened" });
    await new Promise(() => {});
  });
}
