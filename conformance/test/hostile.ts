import { setTimeout as sleep } from "node:timers/promises";
import { memory } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import type { BackendUnderTest } from "../src/index.ts";
import { wrapVerbs } from "../src/verbs.ts";

/** Subjects that do what no subject should, chosen by the environment variable HOSTILE. */
const HOSTILE: Readonly<Record<string, () => Partial<BackendUnderTest>>> = {
  "exits at import": () => process.exit(0),
  exits: () => delivering(() => process.exit(0)),
  "throws in the background": () =>
    delivering(async () => {
      setTimeout(() => {
        throw new Error("thrown in the background");
      }, 1);
      await sleep(20);
      return [];
    }),
  "leaves a rejection alone": () =>
    delivering(async () => {
      void Promise.reject(new Error("nobody awaits this"));
      await sleep(20);
      return [];
    }),
  "throws what is no text": () =>
    delivering(async () => {
      throw Object.create(null);
    }),
  "answers nothing": () => delivering(async () => undefined as never),
  "opens nothing": () => ({ open: () => undefined as never }),
  "lacks a verb": () => ({ open: () => ({ ...plain(), deliver: undefined as never }) }),
  "lacks info": () => ({ open: () => ({ ...plain(), info: undefined as never }) }),
  "cannot end": () => ({
    end() {
      throw new Error("cannot end");
    },
  }),
  "has no version": () => ({ version: () => 5n as never }),
  waits: () =>
    delivering(() => {
      console.log("waiting");
      return sleep(600_000, []);
    }),
};

function plain(): StorageBackend {
  return wrapVerbs(memory(), (_verb, _args, call) => call());
}

function delivering(deliver: StorageBackend["deliver"]): Partial<BackendUnderTest> {
  return { open: () => ({ ...plain(), deliver }) };
}

const subject: BackendUnderTest = {
  name: "hostile",
  open: plain,
  ...HOSTILE[process.env["HOSTILE"]!]!(),
};

export default subject;
