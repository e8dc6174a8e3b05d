/**
 * The world that the golden store is made in: nothing in it depends on the machine or the hour, so that making the
 * store again gives the same versions. (The bytes of its packs follow the zstd library of the Node at hand.)
 */
import { createHash } from 'node:crypto';
import type { Clock, Random } from '../../src/base/ports.ts';

/** A clock that goes on by one second each time somebody looks. */
export class SteppingClock implements Clock {
  #ms = Date.UTC(2026, 2, 1, 12);

  now(): Date {
    this.#ms += 1000;
    return new Date(this.#ms);
  }
}

/** Bytes that look random and are the same each time. */
export class CountedRandom implements Random {
  #count = 0;

  bytes(count: number): Uint8Array {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes < count; bytes += 32) {
      parts.push(
        createHash('sha256')
          .update(`golden ${this.#count++}`)
          .digest(),
      );
    }
    return Buffer.concat(parts).subarray(0, count);
  }
}
