import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BloomBuilder, BloomFile } from '../../src/store/bloom-filter.ts';
import { seededRandom } from './chunk-fixtures.ts';

const HEADER_BYTES = 24;
const BLOCK_BYTES = 64;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uttr-bloom-'));
  path = join(folder, 'a.bloom');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(capacity: number, hashes: Iterable<number>): void {
  const builder = BloomBuilder.empty(capacity);
  for (const hash of hashes) builder.add(hash);
  writeFileSync(path, builder.finish());
}

function answers(hashes: readonly number[]): boolean[] {
  const file = BloomFile.open(path) as BloomFile;
  try {
    return hashes.map((hash) => file.mayHave(hash));
  } finally {
    file.close();
  }
}

function randomHashes(count: number, seed: number): number[] {
  const bytes = Buffer.from(seededRandom(seed).bytes(4 * count));
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(4 * index));
}

const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('a Bloom filter', () => {
  test('N3: whatever was added is found, in one go or in two', () => {
    fc.assert(
      fc.property(fc.array(hash), fc.array(hash), fc.integer({ min: 1, max: 500 }), (before, after, capacity) => {
        write(capacity, before);
        const builder = BloomBuilder.read(path) as BloomBuilder;
        for (const one of after) builder.add(one);
        writeFileSync(path, builder.finish());
        expect(answers([...before, ...after])).not.toContain(false);
      }),
      { numRuns: 100 },
    );
  });

  test('of what was not added it has one in a hundred when it is full, and nothing when it is empty', () => {
    const others = randomHashes(20_000, 2);
    write(50_000, randomHashes(50_000, 1));
    expect(answers(others).filter(Boolean).length).toBeLessThan(250);
    write(50_000, []);
    expect(answers(others)).not.toContain(true);
  });

  test('its bytes are as the format page says', () => {
    const [blocks, one] = [3, 0x9abcdef0];
    write(100, [one]);
    const bits = Buffer.alloc(blocks * BLOCK_BYTES);
    let x = BigInt(one);
    const block = Number((x * BigInt(blocks)) >> 32n);
    for (let round = 0; round < 8; round++) {
      x = (x * 0x915f77f5n + 0x9e3779b1n) % 2n ** 32n;
      const bit = Number(((x >> 16n) * 480n) >> 16n);
      bits[block * BLOCK_BYTES + (bit >> 3)] = (bits[block * BLOCK_BYTES + (bit >> 3)] as number) | (1 << (bit & 7));
    }
    const file = readFileSync(path);
    expect(file.toString('latin1', 0, 16)).toBe('uttr bloom 1\n\0\0\0');
    expect(file.readUInt32LE(16)).toBe(blocks);
    expect(file).toHaveLength(HEADER_BYTES + blocks * BLOCK_BYTES);
    for (let index = 0; index < blocks; index++) {
      const start = index * BLOCK_BYTES;
      expect(file.subarray(HEADER_BYTES + start, HEADER_BYTES + start + 60)).toEqual(bits.subarray(start, start + 60));
    }
  });

  test('N3: a damaged block has everything in it, and cannot be gone on with', () => {
    write(1000, randomHashes(1000, 1));
    const whole = readFileSync(path);
    const others = randomHashes(2000, 2);
    const before = answers(others);
    for (const at of [HEADER_BYTES, HEADER_BYTES + 63, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(path, damaged);
      const after = answers(others);
      expect(after.filter(Boolean).length).toBeGreaterThan(before.filter(Boolean).length + 20);
      expect(before.every((found, index) => !found || after[index])).toBe(true);
      expect(BloomBuilder.read(path)).toBeUndefined();
    }
  });

  test('a file that is cut short, another file and no file are no filter', () => {
    write(1000, [1, 2, 3]);
    const whole = readFileSync(path);
    for (const at of [0, 16, 20]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(path, damaged);
      expect(BloomFile.open(path)).toBeUndefined();
      expect(BloomBuilder.read(path)).toBeUndefined();
    }
    writeFileSync(path, whole);
    for (const size of [whole.length - 1, HEADER_BYTES, 10, 0]) {
      truncateSync(path, size);
      expect(BloomFile.open(path)).toBeUndefined();
      expect(BloomBuilder.read(path)).toBeUndefined();
    }
    rmSync(path);
    expect(BloomFile.open(path)).toBeUndefined();
    expect(BloomBuilder.read(path)).toBeUndefined();
  });
});
