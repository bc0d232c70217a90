// The process of a station: node process.ts <backend> <place>.
import { backends } from "../backends/index.ts";
import { tasks } from "../tasks/index.ts";
import type { Answer, Call } from "./message.ts";
import { Site } from "./site.ts";

const [name, place = ""] = process.argv.slice(2);
const site = new Site(backends.find((backend) => backend.name === name)!, place);

process.on("message", ({ no, task, args }: Call) => {
  const work = async (): Promise<unknown> => tasks[task](site, args as never);
  const answer = (message: Answer): void => void process.send!(message);
  work().then(
    (result) => answer({ no, result }),
    (error: unknown) => answer({ no, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

process.on("disconnect", () => {
  void site.close().finally(() => process.exit());
});
