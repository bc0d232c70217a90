import { ConformanceFailure } from "./failure.ts";

/**
 * Waits so long, and not after `signal` is aborted.
 * @throws ConformanceFailure when it takes longer; `what` says what should have been. The signal's reason
 */
export async function within(
  ms: number,
  what: string,
  work: () => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConformanceFailure(`${what} within ${ms} ms`)), ms);
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  try {
    await Promise.race([work(), ended]);
  } finally {
    clearTimeout(timer);
  }
}
