/** Where a value stands in a {@link Heap}: kept by the owner of the value, to take it out again. */
export interface Place<T> {
  readonly value: T;
  /** What the heap is ordered by. */
  key: number;
  /** Who came first among equals. */
  order: number;
  /** Position in the heap's array. */
  index: number;
  heap: Heap<T>;
}

let arrivals = 0;

/** A binary heap: the least key is first, and any place can be removed. All in O(log n). */
export class Heap<T> {
  readonly #places: Place<T>[] = [];

  get first(): Place<T> | undefined {
    return this.#places[0];
  }

  add(value: T, key: number): Place<T> {
    const place: Place<T> = { value, key, order: 0, index: 0, heap: this };
    this.#put(place);
    return place;
  }

  /** Takes a place out of the heap where it is and into this one. */
  move(place: Place<T>, key: number): void {
    place.heap.remove(place);
    place.key = key;
    place.heap = this;
    this.#put(place);
  }

  /** Takes a place out for good. */
  remove(place: Place<T>): void {
    const last = this.#places.pop()!;
    if (last !== place) {
      if (comesBefore(last, place)) this.#rise(last, place.index);
      else this.#sink(last, place.index);
    }
  }

  #put(place: Place<T>): void {
    place.order = ++arrivals;
    this.#places.push(place);
    this.#rise(place, this.#places.length - 1);
  }

  #rise(place: Place<T>, from: number): void {
    const places = this.#places;
    let index = from;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = places[up]!;
      if (!comesBefore(place, parent)) break;
      places[index] = parent;
      parent.index = index;
      index = up;
    }
    places[index] = place;
    place.index = index;
  }

  #sink(place: Place<T>, from: number): void {
    const places = this.#places;
    let index = from;
    for (;;) {
      let down = 2 * index + 1;
      if (down >= places.length) break;
      if (down + 1 < places.length && comesBefore(places[down + 1]!, places[down]!)) down += 1;
      const child = places[down]!;
      if (!comesBefore(child, place)) break;
      places[index] = child;
      child.index = index;
      index = down;
    }
    places[index] = place;
    place.index = index;
  }
}

function comesBefore<T>(a: Place<T>, b: Place<T>): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order);
}
