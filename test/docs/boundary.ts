/** Section 5.3 of docs/format.md, written from the page: XXH32 by its specification, and the rule. */
import { WEIGHTS } from './page.ts';

const PRIMES = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n] as const;
const [P1, P2, P3, P4, P5] = PRIMES;
const u32 = (value: bigint): bigint => value & 0xffff_ffffn;
const rotate = (value: bigint, count: bigint): bigint => u32((value << count) | (value >> (32n - count)));

const known = new Map<string, number>();

/** As written in the specification, on big integers; what was hashed once is remembered. */
export function xxh32(bytes: Buffer, seed: number): number {
  const name = `${seed} ${bytes.toString('latin1')}`;
  const hash = known.get(name) ?? hashOf(bytes, seed);
  known.set(name, hash);
  return hash;
}

function hashOf(bytes: Buffer, seed: number): number {
  const start = BigInt(seed);
  let at = 0;
  let hash: bigint;
  const word = (): bigint => BigInt(bytes.readUInt32LE((at += 4) - 4));
  if (bytes.length < 16) hash = u32(start + P5);
  else {
    const lanes = [u32(start + P1 + P2), u32(start + P2), start, u32(start - P1)];
    while (bytes.length - at >= 16) {
      for (const [lane, value] of lanes.entries()) lanes[lane] = u32(rotate(u32(value + word() * P2), 13n) * P1);
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    hash = u32(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
  }
  hash = u32(hash + BigInt(bytes.length));
  while (bytes.length - at >= 4) hash = u32(rotate(u32(hash + word() * P3), 17n) * P4);
  for (; at < bytes.length; at++) hash = u32(rotate(u32(hash + BigInt(bytes[at] as number) * P5), 11n) * P1);
  hash = u32((hash ^ (hash >> 15n)) * P2);
  hash = u32((hash ^ (hash >> 13n)) * P3);
  return Number(hash ^ (hash >> 16n));
}

/** Whether each item of a level ends its chunk. */
export class EndRule {
  readonly #level: number;
  #running = 0;
  #items = 0;

  constructor(level: number) {
    this.#level = level;
  }

  endsAfter(key: Buffer, size: number): boolean {
    this.#running += size;
    this.#items++;
    const ends = this.#rule(key, size);
    if (ends) {
      this.#running = 0;
      this.#items = 0;
    }
    return ends;
  }

  #rule(key: Buffer, size: number): boolean {
    if (this.#level === 0 && xxh32(key, 0x7574_7472) < 262_144) return true;
    if (this.#level > 0 && this.#items === 1) return false;
    if (this.#running < 1024) return false;
    if (this.#running >= 32_768) return true;
    const weight = WEIGHTS[Math.floor((16 * this.#running) / 8192)] as number;
    return BigInt(xxh32(key, this.#level)) * 8192n < BigInt(weight) * BigInt(size) * 4096n;
  }
}
