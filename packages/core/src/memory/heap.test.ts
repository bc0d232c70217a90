import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap, type Place } from "./heap.ts";

describe("Heap", () => {
  it("gives values by key, equals in order of arrival, whatever was removed or moved", () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 30 }),
      act: fc.constantFrom("add", "add", "add", "remove", "move"),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const heap = new Heap<number>();
        let model: Place<number>[] = [];
        for (const [value, { key, act, at }] of steps.entries()) {
          const place = model[at % Math.max(model.length, 1)];
          if (act === "add" || place === undefined) {
            model.push(heap.add(value, key));
          } else {
            model = model.filter((other) => other !== place);
            if (act === "remove") heap.remove(place);
            else heap.move(place, key);
            if (act === "move") model.push(place);
          }
        }
        const drained: number[] = [];
        for (let place = heap.first; place !== undefined; place = heap.first) {
          drained.push(place.value);
          heap.remove(place);
        }
        expect(drained).toEqual(model.toSorted((a, b) => a.key - b.key).map(({ value }) => value));
      }),
    );
  });
});
