import { after, describe, test } from "node:test";
import type { BackendUnderTest } from "../subject.ts";
import { type DescribeOptions, describeWith, type TestFramework } from "./describe.ts";

export type { DescribeOptions } from "./describe.ts";

/**
 * Registers every case of the suite as a test of Node's own runner. A case that the backend's capabilities make not applicable is
 * skipped with the reason, after its twin has passed.
 *
 * @example
 * describeStorageBackend({ name: "storage-mine", open: ({ namespace }) => mine({ url, namespace }) });
 */
export function describeStorageBackend(subject: BackendUnderTest, options: DescribeOptions = {}): void {
  const framework: TestFramework = {
    describe: (name, body) => void describe(name, body),
    test: (name, timeout, body) => void test(name, { timeout }, (t) => body((reason) => t.skip(reason))),
    after,
  };
  describeWith(framework, subject, options);
}
