// The process of a station: node process.ts <backend> <place>.
import { loadBackend } from "../backends/load.ts";
import { tasks } from "../tasks/index.ts";
import type { Answer, Call } from "./message.ts";
import { Site } from "./site.ts";

const [name = "", place = ""] = process.argv.slice(2);
const site = new Site(await loadBackend(name), place);

process.on("message", (call: Call) => {
  void carryOut(call).then((answer) => process.send!(answer));
});

process.on("disconnect", () => {
  void site.close().finally(() => process.exit());
});

async function carryOut({ no, task, args }: Call): Promise<Answer> {
  try {
    return { no, result: await tasks[task](site, args as never) };
  } catch (error) {
    return { no, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
