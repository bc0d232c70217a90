import { afterEach, describe, expect, it, vi } from "vitest";
import { DemoProcess, isAlive } from "./demo-process.ts";

const started: DemoProcess[] = [];
function start(): DemoProcess {
  const demo = new DemoProcess();
  started.push(demo);
  return demo;
}
afterEach(() => {
  for (const demo of started.splice(0)) demo.remove();
});

function expectNothingLeft(demo: DemoProcess): Promise<void> {
  expect(demo.leftFiles).toEqual([]);
  expect(demo.workers).not.toEqual([]);
  return vi.waitFor(() => expect(demo.workers.filter(isAlive)).toEqual([]), 5_000);
}

describe("npm run demo", { timeout: 70_000 }, () => {
  it("kills its worker, completes all runs and repeats no completed activity (I12)", async () => {
    const demo = start();
    expect(await demo.ended()).toBe(0);
    expect(demo.errors).toBe("");
    const lines = demo.output.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("demo: ok — 6 runs completed, 1 worker killed, 0 completed activities repeated");
    expect(demo.output.match(/^demo: /gm)).toHaveLength(1);
    expect(demo.output).not.toContain("\u001b");
    expect(demo.output).toContain("killed with SIGKILL");
    expect(demo.output).toContain("charge-card failed at attempt 1");
    expect(demo.output).toContain("pack-parcel is executed again");
    expect(demo.workers).toHaveLength(2);
    await expectNothingLeft(demo);
  });

  it("leaves neither a worker nor a file behind when it is asked to end", async () => {
    const demo = start();
    await demo.printed(/process \d+ started/);
    demo.kill("SIGTERM");
    expect(await demo.ended()).toBe(143);
    await expectNothingLeft(demo);
  });

  it("leaves neither a worker nor a file behind on Ctrl-C", async () => {
    const demo = start();
    await demo.printed(/reserve-stock done/);
    demo.kill("SIGINT", "group");
    expect(await demo.ended()).toBe(130);
    expect(demo.errors).toBe("");
    await expectNothingLeft(demo);
  });

  it("leaves no worker behind when it is killed itself", async () => {
    const demo = start();
    await demo.printed(/reserve-stock done/);
    demo.kill("SIGKILL");
    expect(await demo.ended()).toBe("SIGKILL");
    await vi.waitFor(() => expect(demo.workers.filter(isAlive)).toEqual([]), 5_000);
  });

  it("fails, and says so, when a worker ends that should not", async () => {
    const demo = start();
    await demo.printed(/charge-card done/);
    process.kill(demo.workers[0]!, "SIGKILL");
    expect(await demo.ended()).toBe(1);
    expect(demo.errors).toBe("demo: failed — The worker ended by itself (SIGKILL).\n");
    expect(demo.output).not.toContain("demo: ok");
    await expectNothingLeft(demo);
  });
});
