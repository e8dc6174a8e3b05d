import { describe, expect, test } from 'vitest';
import { xxh32 } from '../../src/base/xxhash.ts';

const PRIME_32 = 0x9e3779b1;

/** The input of the reference implementation's self-test. */
function sanityBuffer(length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let generator = 2_654_435_761n;
  for (let index = 0; index < length; index++) {
    buffer[index] = Number(generator >> 56n);
    generator = (generator * 11_400_714_785_074_694_797n) & 0xffff_ffff_ffff_ffffn;
  }
  return buffer;
}

describe('xxh32', () => {
  test.each([
    [0, 0, 0x02cc5d05],
    [0, PRIME_32, 0x36b78ae7],
    [1, 0, 0xcf65b03e],
    [1, PRIME_32, 0xb4545aa4],
    [14, 0, 0x1208e7e2],
    [14, PRIME_32, 0x6af1d1fe],
    [222, 0, 0x5bd11dbd],
    [222, PRIME_32, 0x58803c5f],
  ])('%i bytes of the reference input with seed %i hash as in the reference', (length, seed, expected) => {
    expect(xxh32(sanityBuffer(length), 0, length, seed)).toBe(expected);
  });

  test('texts hash as with other implementations', () => {
    const hash = (text: string): number => xxh32(Buffer.from(text), 0, Buffer.byteLength(text), 0);
    expect(hash('a')).toBe(0x550d7456);
    expect(hash('abc')).toBe(0x32d153ff);
    expect(hash('Nobody inspects the spammish repetition')).toBe(0xe2293b2f);
  });

  test('a stretch hashes as the same bytes alone', () => {
    const bytes = sanityBuffer(100);
    for (let start = 0; start < 40; start++) {
      const alone = Buffer.from(bytes.subarray(start, start + 37));
      expect(xxh32(bytes, start, start + 37, 7)).toBe(xxh32(alone, 0, 37, 7));
    }
  });
});
