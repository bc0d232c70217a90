import { type Capabilities, type StorageBackend, USUAL_LIMITS } from "@perdure/core/storage";
import { check, equal } from "./assert.ts";
import { VERBS } from "./verbs.ts";

const CAPABILITIES: readonly (keyof Capabilities)[] = [
  "clock",
  "processes",
  "durability",
  "wakeups",
  "transactions",
  "listing",
];
const LIMITS = Object.keys(USUAL_LIMITS);

/** What `open` answered is a backend, as far as can be seen without calling it. @throws ConformanceFailure */
export function checkBackend(opened: unknown): asserts opened is StorageBackend {
  equal(opened === null ? "null" : typeof opened, "object", "`open` answers with a StorageBackend");
  const members = opened as Readonly<Record<string, unknown>>;
  const missing = VERBS.filter((verb) => typeof members[verb] !== "function");
  equal({ missing }, { missing: [] }, "`open` answers with every verb of StorageBackend");
}

/** What it says about itself is there; case `setup.info` judges the values. @throws ConformanceFailure */
export function checkInfo({ info }: { readonly info: unknown }): void {
  const { name, contract, capabilities, limits } = Object(info) as Readonly<Record<string, unknown>>;
  const all = typeof name === "string" && typeof contract === "number" && capabilities && limits;
  check(all, "`info` has name, contract, capabilities and limits after `setup()`");
  const missing = [
    ...CAPABILITIES.filter((member) => !(member in Object(capabilities))).map((member) => `capabilities.${member}`),
    ...LIMITS.filter((member) => !(member in Object(limits))).map((member) => `limits.${member}`),
  ];
  equal({ missing }, { missing: [] }, "`info` is complete after `setup()`");
}
