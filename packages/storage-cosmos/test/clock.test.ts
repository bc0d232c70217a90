import { performance } from "node:perf_hooks";
import { expect, it } from "vitest";
import { ServiceClock } from "../src/clock.ts";

/** A service whose time is ahead of this machine's monotonic clock by so much, and tells whole seconds. */
function ask(clock: ServiceClock, aheadMs: number, sentAt: number, tookMs: number): void {
  const answeredAt = sentAt + tookMs / 2 + aheadMs;
  clock.observe(sentAt, sentAt + tookMs, answeredAt - (answeredAt % 1_000));
}

it("each answer narrows what the time may be (I24)", () => {
  const clock = new ServiceClock();
  const ahead = 1_767_225_600_123;
  ask(clock, ahead, 1_000, 20);
  expect(clock.offBy).toBeLessThanOrEqual(510);
  for (let sentAt = 1_100; sentAt < 2_100; sentAt += 50) ask(clock, ahead, sentAt, 20);
  expect(clock.offBy).toBeLessThan(50);
});

it("follows a service whose time was set (I24)", () => {
  const clock = new ServiceClock();
  ask(clock, 1_767_225_600_000, 1_000, 10);
  ask(clock, 1_767_229_200_000, 1_010, 10);
  expect(Math.abs(clock.now() - performance.now() - 1_767_229_200_000)).toBeLessThan(1_010);
});

it("learns by asking when a second turns, and refuses where answers take too long", async () => {
  const clock = new ServiceClock();
  const slow = new ServiceClock();
  const began = performance.now();
  await clock.learn(async () => ask(clock, 1_767_225_600_000, performance.now() - 10, 10));
  expect(clock.offBy).toBeLessThan(225);
  expect(performance.now() - began).toBeLessThan(5_000);
  const lazily = async (): Promise<void> =>
    slow.observe(performance.now() - 3_000, performance.now(), 1_767_225_600_000);
  await expect(slow.learn(lazily)).rejects.toMatchObject({ code: "misconfigured" });
}, 30_000);
