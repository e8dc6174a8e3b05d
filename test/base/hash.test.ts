import CryptoJS from 'crypto-js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HASH_BYTES,
  hashFromBytes,
  hashToBytes,
  isHash,
  parseHash,
  sha256,
  sha256Bytes,
  sha256Stream,
} from '../../src/base/hash.ts';

describe('sha256', () => {
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('names %j as FIPS 180-4 does', (text, expected) => {
    expect(sha256(text)).toBe(expected);
  });

  test('agrees with crypto-js, on text, on bytes and in parts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        const text = given.toWellFormed();
        const expected = CryptoJS.SHA256(CryptoJS.enc.Utf8.parse(text)).toString(CryptoJS.enc.Hex);
        const bytes = Buffer.from(text);
        expect(sha256(text)).toBe(expected);
        expect(sha256(bytes)).toBe(expected);
        expect(sha256Bytes(text).toString('hex')).toBe(expected);
        const middle = bytes.length >>> 1;
        const stream = sha256Stream().update(bytes.subarray(0, middle)).update(bytes.subarray(middle));
        expect(stream.digest('hex')).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('names', () => {
  const name = sha256('abc');

  test('are 64 lower-case hexadecimal digits and nothing else', () => {
    expect(parseHash(name)).toBe(name);
    expect(isHash(name)).toBe(true);
    for (const other of ['', name.slice(1), `${name}0`, name.toUpperCase(), `${name.slice(1)}g`, `${name}\n`]) {
      expect(isHash(other)).toBe(false);
      expect(() => parseHash(other)).toThrow(expect.objectContaining({ code: 'bad-checksum' }));
    }
    expect(isHash(7)).toBe(false);
    expect(isHash(undefined)).toBe(false);
  });

  test('become 32 bytes and come back', () => {
    expect(hashToBytes(name)).toHaveLength(HASH_BYTES);
    expect(hashFromBytes(hashToBytes(name))).toBe(name);
    const within = Buffer.concat([Buffer.from([1]), hashToBytes(name), Buffer.from([2])]);
    expect(hashFromBytes(within.subarray(1, 33))).toBe(name);
    expect(hashFromBytes(new Uint8Array(hashToBytes(name)))).toBe(name);
    expect(() => hashFromBytes(within)).toThrow(expect.objectContaining({ code: 'bad-checksum' }));
  });
});
