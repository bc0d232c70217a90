import { describe, expect, it } from "vitest";
import { brokenLayers } from "./layers.ts";
import { readSources } from "./sources.ts";

const core = "packages/core/src";

/** Every rule, with code that breaks it. Should a rule go blind, its line fails here. */
const violations: readonly (readonly [rule: string, file: string, code: string, reason: string])[] = [
  ["model imports nothing", `${core}/model/a.ts`, 'import { E } from "../errors/e.ts";', "not below model/"],
  ["errors do not see codec", `${core}/errors/a.ts`, 'import { c } from "../codec/c.ts";', "not below errors/"],
  ["codec does not see storage", `${core}/codec/a.ts`, 'import { s } from "../storage/s.ts";', "not below codec/"],
  ["storage does not see memory", `${core}/storage/a.ts`, 'import { m } from "../memory/m.ts";', "not below storage/"],
  ["memory does not see the engine", `${core}/memory/a.ts`, 'import "../engine/e.ts";', "not below memory/"],
  ["define does not see the engine", `${core}/define/a.ts`, 'export * from "../engine/e.ts";', "not below define/"],
  ["the engine does not see batch", `${core}/engine/a.ts`, 'import { b } from "../batch/b.ts";', "not below engine/"],
  ["batch does not see runtime", `${core}/batch/a.ts`, 'import { r } from "../runtime/r.ts";', "not below batch/"],
  ["runtime does not see the client", `${core}/runtime/a.ts`, 'import "../client/c.ts";', "not below runtime/"],
  ["runtime does not see the worker", `${core}/runtime/a.ts`, 'import "../worker/w.ts";', "not below runtime/"],
  ["the client does not see the worker", `${core}/client/a.ts`, 'import "../worker/w.ts";', "not below client/"],
  ["the worker does not see the client", `${core}/worker/a.ts`, 'import "../client/c.ts";', "not below worker/"],
  ["the worker does not see testing", `${core}/worker/a.ts`, 'import "../testing/t.ts";', "not below worker/"],
  ["no folder sees an entry file", `${core}/worker/a.ts`, 'import { x } from "../index.ts";', "not below worker/"],
  ["every folder has a layer", `${core}/misc/a.ts`, "export {};", "has no layer"],
  ["a type import counts", `${core}/model/a.ts`, 'import type { E } from "../errors/e.ts";', "not below model/"],
  ["a type in place counts", `${core}/model/a.ts`, 'type E = import("../errors/e.ts").E;', "not below model/"],
  ["a re-export counts", `${core}/model/a.ts`, 'export { type E } from "../errors/e.ts";', "not below model/"],
  [
    "an import of many lines counts",
    `${core}/model/a.ts`,
    'import {\n  E, // why\n  F,\n} from "../errors/e.ts";',
    "not below",
  ],
  ["a dynamic import counts", `${core}/model/a.ts`, 'const e = await import("../errors/e.ts");', "not below model/"],

  ["core sees no other package", `${core}/worker/a.ts`, 'import "@perdure/storage-sqlite";', "may not see"],
  ["core does not import itself by name", `${core}/engine/a.ts`, 'import "@perdure/core/storage";', "may not see"],
  [
    "an adapter sees only the port",
    "packages/storage-redis/src/a.ts",
    'import { x } from "@perdure/core";',
    "may not see",
  ],
  [
    "an adapter sees no other adapter",
    "packages/storage-sqlite/src/a.ts",
    'import "@perdure/storage-file";',
    "may not see",
  ],
  [
    "only SQL adapters see storage-sql",
    "packages/storage-file/src/a.ts",
    'import "@perdure/storage-sql";',
    "may not see",
  ],
  ["the suite sees no adapter", "conformance/src/a.ts", 'import { x } from "@perdure/storage-sqlite";', "may not see"],
  ["no path leads around", "packages/storage-sql/src/a.ts", 'import "../../core/src/engine/e.ts";', "may not see"],

  ["the engine is pure", `${core}/engine/a.ts`, 'import { readFile } from "node:fs/promises";', "async_hooks only"],
  ["no Date.now", `${core}/engine/a.ts`, "const now = Date.now();", "injected"],
  ["no Date.now passed on", `${core}/batch/a.ts`, "const clock = { now: Date.now };", "injected"],
  ["no new Date()", `${core}/memory/a.ts`, "const now = new Date( ).getTime();", "injected"],
  ["no Math.random", `${core}/define/a.ts`, "const chance = Math.random();", "injected"],
  ["no randomUUID", `${core}/model/a.ts`, "const id = crypto.randomUUID();", "injected"],
  ["no setTimeout", `${core}/storage/a.ts`, "setTimeout(wake, 5);", "injected"],
  ["no setInterval", `${core}/batch/a.ts`, "const timer = globalThis.setInterval(wake, 5);", "injected"],
  ["no setImmediate", `${core}/errors/a.ts`, "await new Promise(setImmediate);", "injected"],
  ["no performance.now", `${core}/codec/a.ts`, "const start = performance.now();", "injected"],
  ["no time in a template", `${core}/codec/a.ts`, "const id = `${Date.now()}`;", "injected"],
  [
    "no timers from Node",
    `${core}/batch/a.ts`,
    'import { setTimeout as sleep } from "node:timers/promises";',
    "injected",
  ],
];

const allowed: readonly (readonly [what: string, file: string, code: string])[] = [
  ["a lower layer", `${core}/engine/a.ts`, 'import type { Run } from "../model/run.ts";'],
  ["one's own folder", `${core}/engine/a.ts`, 'import { b } from "./b.ts";'],
  ["runtime in both of its users", `${core}/client/a.ts`, 'import { clock } from "../runtime/clock.ts";'],
  ["anything in an entry file", `${core}/storage.ts`, 'export * from "./testing/t.ts";'],
  ["anything in core in a test", `${core}/model/a.test.ts`, 'import "../testing/t.ts"; Date.now();'],
  ["async_hooks in the engine", `${core}/engine/a.ts`, 'import { AsyncLocalStorage } from "node:async_hooks";'],
  ["time above batch", `${core}/runtime/clock.ts`, "export const now = () => Date.now();"],
  ["a date made from a number", `${core}/codec/a.ts`, "const date = new Date(millis);"],
  ["a timer of an injected clock", `${core}/batch/a.ts`, "clock.setTimeout(wake, 5);"],
  ["mention in a comment", `${core}/engine/a.ts`, '// never Date.now()\n/* import "../worker/w.ts" */'],
  ["mention in a message", `${core}/engine/a.ts`, 'throw new Error("use ctx.now() instead of Date.now()");'],
  ["the port in an adapter", "packages/storage-redis/src/a.ts", 'import { x } from "@perdure/core/storage";'],
  ["storage-sql in a SQL adapter", "packages/storage-sqlite/src/a.ts", 'import { x } from "@perdure/storage-sql";'],
  ["core's test kit in the suite", "conformance/src/a.ts", 'import { x } from "@perdure/core/testing";'],
  ["any package in the command line", "packages/cli/src/a.ts", 'import { x } from "@perdure/core";'],
];

describe("layers", () => {
  it("hold in this repository", () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(5);
    expect(brokenLayers(sources)).toEqual([]);
  });

  it.each(violations)("find a planted violation: %s", (_rule, file, code, reason) => {
    expect(brokenLayers(new Map([[file, code]]))).toEqual([expect.stringContaining(reason)]);
  });

  it.each(allowed)("allow %s", (_what, file, code) => {
    expect(brokenLayers(new Map([[file, code]]))).toEqual([]);
  });

  it("find a cycle between files, of types too", () => {
    const sources = new Map([
      [`${core}/model/a.ts`, 'import type { B } from "./b.ts";'],
      [`${core}/model/b.ts`, 'export type { C } from "./c.ts";'],
      [`${core}/model/c.ts`, 'import { type A } from "./a.ts";'],
    ]);
    expect(brokenLayers(sources)).toEqual([expect.stringMatching(/circle: .*a\.ts → .*b\.ts → .*c\.ts → .*a\.ts\.$/)]);
  });
});
