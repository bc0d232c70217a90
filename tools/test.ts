// Runs every test, or those that the arguments name as vitest understands them, and ends with one plain line of counts.
import { skippedBackends } from "perdure-servers/skipped";
import { parseCLI, startVitest } from "vitest/node";

const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
  const vitest = await startVitest("test", filter, { ...options, watch: false });
  for (const file of vitest.state.getTestModules()) {
    for (const test of file.children.allTests()) {
      const { state } = test.result();
      counts[state === "pending" ? "failed" : state] += 1;
    }
    // A file that could not be loaded and a hook that threw failed without failing a test.
    for (const suite of [file, ...file.children.allSuites()]) counts.failed += suite.errors().length;
  }
  counts.failed += vitest.state.getUnhandledErrors().length;
  await vitest.close();
} catch (error) {
  console.error(error);
  counts.failed += 1;
}
// Whatever else vitest objects to (no test found, a coverage threshold) is a failure too.
if (process.exitCode && counts.failed === 0) counts.failed = 1;

const leftOut = skippedBackends();
if (leftOut.length > 0) console.log(`\nPERDURE_SKIP_BACKENDS left these out: ${leftOut.join(", ")}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);
