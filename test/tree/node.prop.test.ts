import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import { entriesOf, parseLeaf } from '../../src/tree/lines.ts';
import { decodeNode, encodeNode, type NodeContent } from '../../src/tree/node.ts';
import { keyText, listed, model } from './model.ts';

const node: fc.Arbitrary<NodeContent> = fc
  .tuple(
    fc.integer({ min: 1, max: 60 }),
    fc.uniqueArray(fc.tuple(keyText, fc.integer({ min: 1, max: 1e6 })), {
      minLength: 1,
      maxLength: 12,
      selector: ([key]) => key,
    }),
  )
  .map(([level, keys]) => ({
    level,
    children: keys
      .map(([key, records]) => ({ key: Buffer.from(key), hash: sha256(key), records, bytes: records * 7 }))
      .sort((a, b) => Buffer.compare(a.key, b.key)),
  }));

/** What decoding gives, or undefined where it refuses with bad-chunk. */
function tryDecode<T>(decode: (bytes: Buffer) => T, bytes: Buffer): T | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    if (isUttrError(error, 'bad-chunk')) return undefined;
    throw error;
  }
}

const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), way: fc.constantFrom(0, 1, 2) });

function mutate(bytes: Buffer, { at, byte, way }: { at: number; byte: number; way: number }): Buffer {
  const place = at % bytes.length;
  // Replaces a byte, drops one, or inserts one.
  const inserted = way === 1 ? [] : [byte];
  return Buffer.concat([
    bytes.subarray(0, place),
    Buffer.from(inserted),
    bytes.subarray(way === 2 ? place : place + 1),
  ]);
}

describe('chunks of a tree', () => {
  test('T5: decoding a node gives back what was encoded', () => {
    fc.assert(
      fc.property(node, (one) => {
        const { level, children } = decodeNode(encodeNode(one));
        expect({ level, children }).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  test('T5: changed bytes are refused, or are exactly the encoding of another node', () => {
    fc.assert(
      fc.property(node, mutation, (one, change) => {
        const changed = mutate(encodeNode(one), change);
        const decoded = tryDecode(decodeNode, changed);
        expect(decoded === undefined || encodeNode(decoded).equals(changed)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('T1, T2: a leaf gives back its entries, and cut or reordered lines are refused', () => {
    fc.assert(
      fc.property(model(20), (entries) => {
        fc.pre(entries.size > 0);
        const all = listed(entries);
        const lines = all.map(([key, value]) => `${key}\t${value}\n`);
        const found = entriesOf(parseLeaf(Buffer.from(lines.join(''))));
        expect(found.map(({ key, value }) => [key.toString(), value.toString()])).toEqual(all);
        const refused = [lines.join('').slice(0, -1), [...lines, lines.at(-1)].join(''), ''];
        if (lines.length > 1) refused.push([...lines].reverse().join(''));
        for (const text of refused) expect(tryDecode(parseLeaf, Buffer.from(text))).toBe(undefined);
        const notText = Buffer.from(lines.join(''));
        notText[notText.length - 2] = 0xff;
        expect(tryDecode(parseLeaf, notText)).toBe(undefined);
      }),
      { numRuns: 300 },
    );
  });

  test('T3: no node is a leaf and no leaf is a node', () => {
    fc.assert(
      fc.property(node, model(5), (one, entries) => {
        expect(tryDecode(parseLeaf, encodeNode(one))).toBe(undefined);
        const leaf = listed(entries).map(([key, value]) => `${key}\t${value}\n`);
        expect(tryDecode(decodeNode, Buffer.from(leaf.join('')))).toBe(undefined);
      }),
      { numRuns: 300 },
    );
  });
});
