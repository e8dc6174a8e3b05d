/**
 * Joins two sorted sequences by key while they come in, and leaves out what is the same in both.
 */

/** Above every key, for 0xFF never occurs in UTF-8. */
export const AFTER_ALL_KEYS = Buffer.of(0xff);

/** Anything that has a key: an entry, or a chunk with its last key. */
interface Keyed {
  readonly key: Buffer;
}

/** Items with one key; a side that has none is undefined. */
export interface Pair<T> {
  readonly a?: T | undefined;
  readonly b?: T | undefined;
}

/** Some joined items, and how far each side has got. */
export interface Window<T> {
  readonly pairs: readonly Pair<T>[];
  /** Everything that either side still has to come lies above its floor; undefined: nothing is known. */
  readonly floorA: Buffer | undefined;
  readonly floorB: Buffer | undefined;
}

/** What came in for both sides, and the floors of the window it was made of. */
export interface Incoming<T> {
  readonly a: readonly T[];
  readonly b: readonly T[];
  readonly window: { readonly floorA: Buffer | undefined; readonly floorB: Buffer | undefined };
}

/** Pairs in one window. */
const PAIRS_LIMIT = 256;

interface Side<T> {
  queue: T[];
  next: number;
  /** Everything still to come into the queue lies above it. */
  floor: Buffer | undefined;
  /** The last key taken from the queue. */
  taken: Buffer | undefined;
  isFinished: boolean;
}

/** Joins sides `a` and `b`. */
export class Join<T extends Keyed> {
  readonly #a: Side<T> = newSide();
  readonly #b: Side<T> = newSide();
  readonly #isSame: (a: T, b: T) => boolean;

  /** @param isSame tells of two items with one key whether to leave them out. */
  constructor(isSame: (a: T, b: T) => boolean) {
    this.#isSame = isSame;
  }

  /** Gives all that one side will ever have. */
  finishSide(side: 'a' | 'b', items: readonly T[]): void {
    const to = side === 'a' ? this.#a : this.#b;
    to.queue = [...items];
    to.isFinished = true;
  }

  /** Takes in more of both sides and yields what can be joined. */
  *feed(incoming: Incoming<T>): Generator<Window<T>> {
    add(this.#a, incoming.a, incoming.window.floorA);
    add(this.#b, incoming.b, incoming.window.floorB);
    yield* this.#windows();
  }

  /** Yields the rest: nothing more comes. */
  *end(): Generator<Window<T>> {
    this.#a.isFinished = true;
    this.#b.isFinished = true;
    yield* this.#windows();
  }

  *#windows(): Generator<Window<T>> {
    for (;;) {
      const pairs: Pair<T>[] = [];
      const isDone = this.#join(pairs);
      // A window without pairs still tells the level below how far the sides have got.
      yield { pairs, floorA: floorOf(this.#a), floorB: floorOf(this.#b) };
      if (isDone) return;
    }
  }

  /** @returns whether nothing is left that can be joined. */
  #join(pairs: Pair<T>[]): boolean {
    const [sideA, sideB] = [this.#a, this.#b];
    while (pairs.length < PAIRS_LIMIT) {
      const a = sideA.queue[sideA.next];
      const b = sideB.queue[sideB.next];
      if (a !== undefined && (b === undefined ? isAheadOf(sideB, a.key) : a.key.compare(b.key) < 0)) {
        take(sideA, a);
        pairs.push({ a });
      } else if (b !== undefined && (a === undefined ? isAheadOf(sideA, b.key) : b.key.compare(a.key) < 0)) {
        take(sideB, b);
        pairs.push({ b });
      } else if (a !== undefined && b !== undefined) {
        take(sideA, a);
        take(sideB, b);
        if (!this.#isSame(a, b)) pairs.push({ a, b });
      } else {
        return true;
      }
    }
    return false;
  }
}

function newSide<T>(): Side<T> {
  return { queue: [], next: 0, floor: undefined, taken: undefined, isFinished: false };
}

function add<T>(side: Side<T>, items: readonly T[], floor: Buffer | undefined): void {
  if (side.isFinished) return;
  side.queue = [...side.queue.slice(side.next), ...items];
  side.next = 0;
  side.floor = floor;
}

function take<T extends Keyed>(side: Side<T>, item: T): void {
  side.next++;
  side.taken = item.key;
}

/** Whether a side with an empty queue can get nothing more up to `key`. */
function isAheadOf<T>(side: Side<T>, key: Buffer): boolean {
  return side.isFinished || (side.floor !== undefined && side.floor.compare(key) >= 0);
}

/** What a level below may count on: later items start above the last one taken, or above the level's own floor. */
function floorOf<T>(side: Side<T>): Buffer | undefined {
  if (side.next < side.queue.length) return side.taken;
  if (side.isFinished) return AFTER_ALL_KEYS;
  return side.floor !== undefined && (side.taken === undefined || side.floor.compare(side.taken) > 0)
    ? side.floor
    : side.taken;
}
