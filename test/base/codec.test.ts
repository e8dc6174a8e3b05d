import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/base/codec.ts';

const reader = (...bytes: number[]): ByteReader => new ByteReader(Buffer.from(bytes), 'bad-pack', 'footer');
const MAX = Number.MAX_SAFE_INTEGER;

describe('ByteReader and ByteWriter', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), fc.uint8Array({ maxLength: 3000 }), (numbers, blob) => {
        const writer = new ByteWriter();
        writer.byte(7);
        writer.u32(0xfedc_ba98);
        for (const number of numbers) writer.varint(number);
        writer.bytes(blob);
        const bytes = writer.finish();
        expect(writer.length).toBe(bytes.length);

        const read = new ByteReader(bytes, 'bad-pack', 'footer');
        expect(read.byte()).toBe(7);
        expect(read.u32()).toBe(0xfedc_ba98);
        expect(numbers.map(() => read.varint(MAX, 'number'))).toEqual(numbers);
        expect(Uint8Array.from(read.bytes(blob.length))).toEqual(blob);
        read.end();
      }),
    );
  });

  test('a varint has the least significant group first', () => {
    const writer = new ByteWriter();
    writer.varint(300);
    expect([...writer.finish()]).toEqual([0xac, 0x02]);
  });

  test('reading past the end is an error of the given code that names the document', () => {
    expect(() => reader(1, 2, 3).u32()).toThrow(expect.objectContaining({ code: 'bad-pack' }));
    expect(() => reader().byte()).toThrow('footer: ends too early');
    expect(() => reader(0x80).varint(MAX, 'n')).toThrow('ends too early');
  });

  test('a number above its limit is refused', () => {
    expect(reader(100).varint(100, 'count')).toBe(100);
    expect(() => reader(101).varint(100, 'count')).toThrow('count is 101, more than 100');
    expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1).varint(MAX, 'n')).toThrow('too long');
    expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).varint(MAX, 'n')).toThrow('more than');
  });

  test('a padded varint is refused: each number has one encoding', () => {
    expect(() => reader(0x81, 0x00).varint(MAX, 'n')).toThrow('shortest form');
  });

  test('bytes left over are an error', () => {
    expect(() => reader(1).end()).toThrow('1 bytes too many');
  });
});
