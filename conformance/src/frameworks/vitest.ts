import { afterAll, describe, test } from "vitest";
import type { BackendUnderTest } from "../subject.ts";
import { type DescribeOptions, describeWith, type TestFramework } from "./describe.ts";

export type { DescribeOptions } from "./describe.ts";

/**
 * Registers every case of the suite as a test of vitest. A case that the backend's capabilities make not applicable is skipped
 * with the reason, after its twin has passed.
 *
 * @example
 * describeStorageBackend({ name: "storage-mine", open: ({ namespace }) => mine({ url, namespace }) });
 */
export function describeStorageBackend(subject: BackendUnderTest, options: DescribeOptions = {}): void {
  const framework: TestFramework = {
    describe,
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the case asserts, and has its own name
    test: (name, timeout, body) => test(name, { timeout }, ({ skip }) => body(skip)),
    after: afterAll,
  };
  describeWith(framework, subject, options);
}
