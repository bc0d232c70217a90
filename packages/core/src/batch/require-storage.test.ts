import { describe, expect, it } from "vitest";
import { createClient, createWorker, workflow } from "../index.ts";
import { memory } from "../memory.ts";
import type { StorageBackend, StorageInfo } from "../storage.ts";

const nothing = workflow({ name: "nothing" }, async () => {});

function declaring(info: object, capabilities: object = {}): StorageBackend {
  const storage = memory();
  const declared = { ...storage.info, ...info, capabilities: { ...storage.info.capabilities, ...capabilities } };
  return Object.assign(storage, { info: declared as StorageInfo });
}

describe("a storage", () => {
  it.each([
    ["another version of the port", declaring({ contract: 99 }), /was written for version 99 of the storage contract/],
    [
      "wakeups that nobody knows",
      declaring({}, { wakeups: "pull" }),
      /declares wakeups: "pull", .* knows none, in-process, push\./,
    ],
    ["no durability", declaring({}, { durability: undefined }), /declares durability: undefined/],
    ["processes that nobody knows", declaring({}, { processes: "few" }), /declares processes: "few"/],
    ["listing that nobody knows", declaring({}, { listing: "often" }), /declares listing: "often"/],
  ])("that declares %s is refused (I29)", async (_, storage, says) => {
    const refused = expect.objectContaining({ code: "misconfigured", message: expect.stringMatching(says) });
    await expect(createClient({ storage }).start(nothing, undefined)).rejects.toEqual(refused);
    await expect(createWorker({ storage, workflows: [nothing] }).run()).rejects.toEqual(refused);
  });
});
