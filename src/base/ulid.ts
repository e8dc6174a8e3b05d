/**
 * ULIDs: 26 characters of Crockford's base 32; 48 bits of milliseconds, then 80 random bits. They sort by time.
 *
 * @see https://github.com/ulid/spec
 */
import { assert } from './errors.ts';
import type { Clock, Random } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BYTES = 10;
const LATEST_MS = 2 ** 48 - 1;
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/u;

/** Tells whether `text` is a ULID in its one (upper-case) form. */
export function isUlid(text: string): boolean {
  return PATTERN.test(text);
}

/** Gives out ULIDs, each greater than the one before even if the clock stands still or goes back. */
export class UlidSource {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastMs = -1;
  #tail = 0n;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    const now = this.#clock.now().getTime();
    assert(now >= 0 && now <= LATEST_MS, 'the clock is within the range of ULIDs');
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#tail = this.#draw();
    } else {
      this.#tail += 1n;
      if (this.#tail >> BigInt(RANDOM_BYTES * 8) > 0n) {
        // 2^80 names in one millisecond cannot be used up, but the draw may lie near the end.
        this.#lastMs += 1;
        this.#tail = this.#draw();
      }
    }
    return formatUlid(this.#lastMs, this.#tail);
  }

  #draw(): bigint {
    return BigInt(`0x${Buffer.from(this.#random.bytes(RANDOM_BYTES)).toString('hex')}`);
  }
}

function formatUlid(ms: number, tail: bigint): string {
  let value = (BigInt(ms) << BigInt(RANDOM_BYTES * 8)) | tail;
  let text = '';
  for (let digit = 0; digit < 26; digit += 1) {
    text = ALPHABET.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return text;
}
