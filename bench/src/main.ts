import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "./measure.ts";
import { OptionError, type Options, parseOptions, usage } from "./options.ts";
import { profileW1 } from "./profile/profile-w1.ts";
import { machine } from "./report/machine.ts";
import type { Report } from "./report/report.ts";
import { resultsPage } from "./report/results-page.ts";
import { table } from "./report/table.ts";
import { describeServers } from "./server/describe-servers.ts";

const resultsFile = join(import.meta.dirname, "../RESULTS.md");

const args = process.argv.slice(2);
try {
  const options = parseOptions(args);
  if (options.help) console.log(usage);
  else await run(options);
} catch (error) {
  const isOption = error instanceof OptionError;
  console.error(isOption ? `${error.message}\n\n${usage}` : error);
  process.exitCode = isOption ? 2 : 1;
}

async function run(options: Options): Promise<void> {
  const { json, writeResults, profile } = options;
  const date = new Date().toISOString();
  const surroundings = machine();
  // Where somebody put the rows is nobody's business.
  const command = ["npm run bench --", ...args].join(" ").replace(/ --json[ =]\S+/u, "");
  const measured = await measure(options, (text) => console.error(text));
  const servers = await describeServers(options.backends);
  const report: Report = { date, command, ...surroundings, servers, ...measured };
  console.log(table(report));
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (writeResults) writeFileSync(resultsFile, resultsPage(readFileSync(resultsFile, "utf8"), report));
  if (profile) await profileAll(options);
}

async function profileAll({ backends, scale, warm }: Options): Promise<void> {
  const runs = Math.max(10, Math.round(2_000 * scale));
  for (const backend of backends) console.log(`\n${await profileW1(backend, { runs, concurrency: 100, warm })}`);
}
