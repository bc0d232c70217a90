import type { NewEvent } from "@perdure/core/storage";

/** An event of a running workflow. Storage knows no types: any will do. */
export function event(overrides: Partial<NewEvent> = {}): NewEvent {
  return { type: "SIDE_EFFECT_RECORDED", command: 0, at: 2_000, data: '{"name":"x","value":1}', ...overrides };
}
