import { describe, expect, it } from "vitest";
import { Lease } from "./lease.ts";

describe("Lease", () => {
  it("is proven from when the last acknowledged request was sent, not from its answer (I6)", () => {
    let now = 0;
    const lease = new Lease(() => now, 1_000, 0);
    now = 999;
    expect(lease.proven).toBe(true);
    now = 1_000;
    expect(lease.proven).toBe(false);
    lease.renewed(600);
    expect(lease.proven).toBe(true);
    // An answer that comes late says less than one that is in already.
    lease.renewed(300);
    now = 1_599;
    expect(lease.proven).toBe(true);
    now = 1_600;
    expect(lease.proven).toBe(false);
  });
});
