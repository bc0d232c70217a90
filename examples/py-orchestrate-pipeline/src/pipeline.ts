import { type Activity, workflow } from "@perdure/core";
import { z } from "zod";
import {
  countDuplicates,
  extract,
  findProblems,
  hasNewColumns,
  publish,
  readWatermark,
  transform,
} from "./activities.ts";
import type { Loaded } from "./load.ts";
import type { Table } from "./table.ts";

/**
 * From the sources into the warehouse. Takes the activity that loads, of which there are two versions: a project has one
 * of them, in its place in the imports above, and the other one in its version control.
 */
export function pipelineWith(load: Activity<Table, Loaded>) {
  return workflow(
    { name: "pipeline", input: z.object({ sources: z.array(z.string()).min(1) }) },
    async (ctx, { sources }) => {
      const since = await ctx.run(readWatermark, {});
      const tables = await Promise.all(
        sources.map(async (source) => {
          const rows = await ctx.run(extract, { source, since });
          return { source, rows: await ctx.run(transform, { source, rows }) };
        }),
      );
      const [newColumns, duplicates, problems] = await Promise.all([
        ctx.run(hasNewColumns, { tables }),
        ctx.run(countDuplicates, { tables }),
        ctx.run(findProblems, { tables }),
      ]);

      const loaded: Loaded[] = [];
      for (const table of tables) loaded.push(await ctx.run(load, table));
      await ctx.run(publish, { loaded });

      return { since, newColumns, duplicates, problems, loaded };
    },
  );
}
