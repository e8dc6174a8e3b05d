import { execFileSync } from 'node:child_process';
import { zstdCompressSync, constants } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  checkFrame,
  compressDelta,
  compressFrame,
  decompressFrame,
  isUsableDictionary,
} from '../../src/store/frame.ts';
import { manyLeaves, seededRandom } from './chunk-fixtures.ts';

const leaf = (manyLeaves(1)[0] as { bytes: Buffer }).bytes;
const NO_DICTIONARY = {};

describe('frames', () => {
  test.for([0, 1, 63, 64, 255, 256, 257, 65_535, 65_536, 65_792, 200_000])(
    'of %i raw bytes decompress to what was compressed',
    (length) => {
      const random = seededRandom(length);
      for (const raw of [Buffer.alloc(length, 'ab'), Buffer.from(random.bytes(length))]) {
        const stored = compressFrame(raw);
        expect(decompressFrame(stored, length, NO_DICTIONARY).equals(raw)).toBe(true);
      }
    },
  );

  test('with a dictionary need the same one to be read', () => {
    const raw = Buffer.concat([leaf.subarray(0, 4000), Buffer.from('new'), leaf.subarray(4000)]);
    const stored = compressDelta(raw, leaf) as Buffer;
    expect(stored.length).toBeLessThan(30);
    expect(decompressFrame(stored, raw.length, { dictionary: leaf }).equals(raw)).toBe(true);
    const other = Buffer.from(leaf).fill('x', 100, 200);
    expect(() => decompressFrame(stored, raw.length, {})).toThrow(expect.objectContaining({ code: 'bad-chunk' }));
    // What comes of the wrong one has no checksum: only the names of the chunks tell (P6).
    const wrong = decompressFrame(stored, raw.length, { dictionary: other });
    expect(wrong.equals(raw)).toBe(false);
  });

  test.for([0, 1, 255, 256, 65_791, 65_792, 300_000])(
    'with a dictionary and %i raw bytes lack the header that zstd would write',
    (length) => {
      const raw = Buffer.from(seededRandom(length).bytes(length));
      for (const effort of ['fast', 'dense'] as const) {
        const stored = compressDelta(raw, leaf, effort) as Buffer;
        expect(decompressFrame(stored, length, { dictionary: leaf }).equals(raw)).toBe(true);
      }
    },
  );

  test('that exactly fill the memory zlib sets aside for them end with themselves', () => {
    const noise = Buffer.from(seededRandom(7).bytes(70_000));
    const sizes = (around: number): number[] => Array.from({ length: 64 }, (_, step) => around - 48 + step);
    const exact = { full: 0, delta: 0 };
    // 16 KiB, twice and four times that; for deltas 1 KiB, and a sixteenth of the raw bytes.
    for (const length of [16_384, 32_768, 65_536].flatMap(sizes)) {
      const raw = noise.subarray(0, length);
      const stored = compressFrame(raw);
      if (stored.length % 16_384 === 0) exact.full++;
      expect(decompressFrame(stored, length, NO_DICTIONARY).equals(raw)).toBe(true);
    }
    for (const [old, added] of [0, 8000, 32_000].flatMap((old) => sizes(1024).map((added) => [old, added] as const))) {
      const dictionary = noise.subarray(60_000 - old - 100, 60_000);
      const raw = Buffer.concat([noise.subarray(60_000 - old, 60_000), noise.subarray(0, added)]);
      const stored = compressDelta(raw, dictionary) as Buffer;
      // Before the header is taken off, of seven bytes.
      if ((stored.length + 7) % 1024 === 0) exact.delta++;
      expect(decompressFrame(stored, raw.length, { dictionary }).equals(raw)).toBe(true);
    }
    expect(exact.full).toBeGreaterThan(0);
    expect(exact.delta).toBeGreaterThan(0);
  });

  test('larger than the window of zstd are not made against a dictionary', () => {
    expect(compressDelta(Buffer.alloc(12 * 2 ** 20), leaf)).toBeUndefined();
  });

  test('with a dictionary, cut short at any byte or followed by anything, are refused', () => {
    const stored = compressDelta(leaf.subarray(0, 1000), leaf) as Buffer;
    const parts = Array.from({ length: stored.length }, (_, length) => stored.subarray(0, length));
    for (const part of [...parts, Buffer.concat([stored, Buffer.alloc(4)])]) {
      expect(() => decompressFrame(part, 1000, { dictionary: leaf })).toThrow(
        expect.objectContaining({ code: 'bad-chunk' }),
      );
    }
  });

  test('of another raw length than listed are refused before they are decompressed', () => {
    const stored = compressFrame(leaf);
    for (const length of [leaf.length - 1, leaf.length + 1, 0, 2 ** 24]) {
      expect(() => checkFrame(stored, length, false)).toThrow(`does not declare ${length} raw bytes`);
    }
  });

  test('cut short at any byte, or followed by anything, are refused', () => {
    const stored = compressFrame(leaf.subarray(0, 1000));
    for (let length = 0; length < stored.length; length += 1) {
      expect(() => checkFrame(stored.subarray(0, length), 1000, false)).toThrow('a compressed frame');
    }
    for (const tail of [Buffer.alloc(1), stored]) {
      expect(() => checkFrame(Buffer.concat([stored, tail]), 1000, false)).toThrow('but ends at');
    }
  });

  test('without a checksum are refused', () => {
    const stored = zstdCompressSync(leaf, { params: { [constants.ZSTD_c_checksumFlag]: 0 } });
    expect(() => checkFrame(stored, leaf.length, false)).toThrow('lacks a checksum');
  });

  test('with one bit flipped never give other bytes', () => {
    const raw = leaf.subarray(0, 300);
    const stored = compressFrame(raw);
    for (let bit = 0; bit < stored.length * 8; bit += 1) {
      const damaged = Buffer.from(stored);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      let read = raw;
      try {
        read = decompressFrame(damaged, raw.length, NO_DICTIONARY);
      } catch {
        // Refused, as most are.
      }
      expect(read.equals(raw)).toBe(true);
    }
  });

  test('bytes with the magic of a trained dictionary are no dictionary', () => {
    expect(isUsableDictionary(Buffer.from('37a430ec00', 'hex'))).toBe(false);
    expect(isUsableDictionary(Buffer.from('37a430', 'hex'))).toBe(true);
    expect(isUsableDictionary(leaf)).toBe(true);
  });
});

const zstdCommand = (): string | undefined => {
  try {
    return execFileSync('zstd', ['--version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
};

test.skipIf(zstdCommand() === undefined)('the zstd command reads a frame (skipped where it is not installed)', () => {
  const stored = compressFrame(leaf);
  expect(execFileSync('zstd', ['-d', '-c'], { input: stored }).equals(leaf)).toBe(true);
});
