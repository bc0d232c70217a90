import { skippedBackends } from "perdure-servers/skipped";
import { describe, expect, it } from "vitest";
import { OptionError, parseOptions } from "../src/options.ts";

const usual = ["memory", "sqlite", "file", "postgres", "mysql", "redis", "cosmos"].filter(
  (name) => !skippedBackends().includes(name),
);

describe("options", () => {
  it("are everything, three times, when none are given", () => {
    const { backends, workloads, ...rest } = parseOptions([]);
    expect(backends.map(({ name }) => name)).toEqual(usual);
    expect(workloads.map(({ name }) => name)).toEqual(["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"]);
    expect(rest).toEqual({
      repeat: 3,
      scale: 1,
      quick: false,
      warm: true,
      profile: false,
      json: null,
      writeResults: false,
      help: false,
    });
  });

  it("choose backends and workloads in the order given, each once", () => {
    const { backends, workloads } = parseOptions(["--backends", "sqlite, memory,sqlite", "--workloads=W4,W1"]);
    expect(backends.map(({ name }) => name)).toEqual(["sqlite", "memory"]);
    expect(workloads.map(({ name }) => name)).toEqual(["W4", "W1"]);
  });

  it.each([
    [["--speed", "11"], "--speed"],
    [["memory"], "memory"],
    [
      ["--backends", "memory,oracle"],
      'There is no backend "oracle". Choose from: memory, sqlite, file, postgres, mysql, redis, cosmos.',
    ],
    [["--backends", ""], 'There is no backend "".'],
    [["--workloads", "W99"], 'There is no workload "W99". Choose from: W1, W2, W3, W4, W5, W6, W7, W8.'],
    [["--repeat", "0"], "--repeat must be a whole number from 1"],
    [["--repeat", "many"], "--repeat must be a whole number from 1"],
    [["--scale", "0"], "--scale must be a number above 0"],
    [["--scale", ""], "--scale must be a number above 0"],
    [["--json"], "--json"],
    [["--profile", "--workloads", "W2"], "--profile profiles W1"],
  ])("are refused with a reason: %j", (args, reason) => {
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(reason);
  });
});
