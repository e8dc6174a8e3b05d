import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/base/hash.ts';
import type { ChunkSink } from '../../src/store/chunks.ts';
import { isAnchor } from '../../src/tree/boundary.ts';
import { EMPTY_TREE, TreeBuilder } from '../../src/tree/build.ts';
import { decodeNode, type Child } from '../../src/tree/node.ts';
import { LeafWriter } from '../../src/tree/writers.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, listed, model, sorted } from './model.ts';

describe('TreeBuilder', () => {
  test('T8: leaves built apart between anchors are the leaves of a serial build, and give its root', async () => {
    await fc.assert(
      fc.asyncProperty(model(300), fc.array(fc.nat(300), { maxLength: 4 }), async (entries, cuts) => {
        const all = sorted(entries);
        // Cuts are moved on to the next anchor; work may be divided only there.
        const anchors = new Set(
          cuts.map((cut) => all.findIndex(({ key }, index) => index >= cut && isAnchor(key, TINY)) + 1),
        );
        const stitched = new MemoryChunks();
        const builder = new TreeBuilder(stitched, TINY);
        let leaves: Child[] = [];
        const writer = (): LeafWriter => new LeafWriter(TINY, (leaf) => leaves.push(leaf));
        let current = writer();
        for (const [index, { key, value }] of all.entries()) {
          if (anchors.has(index)) {
            current.flush();
            current = writer();
          }
          current.appendEntry(key, Buffer.from(value));
        }
        current.flush();
        const serial = new MemoryChunks();
        const root = await build(serial, entries);
        expect(leaves.map(({ hash }) => hash)).toEqual(
          serial.puts.filter(({ kind }) => kind === 'leaf').map(({ hash }) => hash),
        );
        for (const leaf of leaves) builder.addLeaf(leaf);
        leaves = [];
        expect(await builder.finish()).toEqual(root);
      }),
      { numRuns: 400 },
    );
  });

  test('T7, T9: only the last node of a level may have one child, and never the root', async () => {
    await fc.assert(
      fc.asyncProperty(model(300), async (entries) => {
        const chunks = new MemoryChunks();
        const tree = await build(chunks, entries);
        const lonely = new Map<number, Hash[]>();
        for (const { hash, kind } of chunks.puts) {
          if (kind === 'leaf') continue;
          const node = decodeNode(await chunks.get(hash));
          if (node.children.length === 1) lonely.set(node.level, [...(lonely.get(node.level) ?? []), hash]);
        }
        for (const [level, nodes] of lonely) {
          expect(nodes).toHaveLength(1);
          expect(nodes).not.toContain(tree.root);
          expect(level).toBeLessThan(tree.height);
        }
        expect(tree.records).toBe(entries.size);
        expect(tree.bytes).toBe(
          Buffer.byteLength(
            listed(entries)
              .map(([key, value]) => `${key}\t${value}\n`)
              .join(''),
          ),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('T9: no entries make the empty tree, and one leaf is a root without a node above it', async () => {
    const chunks = new MemoryChunks();
    expect(await build(chunks, new Map())).toEqual(EMPTY_TREE);
    const one = await build(chunks, new Map([['a', '1']]));
    expect(one).toMatchObject({ height: 0, records: 1, bytes: 4 });
    expect(chunks.size).toBe(1);
  });

  test('T2: entries out of order, twice, or not fit for a line are a mistake of the caller', () => {
    const builder = (): TreeBuilder => new TreeBuilder(new MemoryChunks(), TINY);
    const add = (one: TreeBuilder, key: string, value = '1'): void => {
      one.add(Buffer.from(key), Buffer.from(value));
    };
    const twice = builder();
    add(twice, 'b');
    for (const key of ['b', 'a', '']) {
      expect(() => {
        add(twice, key);
      }).toThrow(expect.objectContaining({ code: 'internal' }));
    }
    for (const value of ['a\tb', 'a\nb']) {
      expect(() => {
        add(builder(), 'k', value);
      }).toThrow(expect.objectContaining({ code: 'internal' }));
    }
    expect(() => {
      builder().addLine(Buffer.from('key value\n'), 0, 3, 10);
    }).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => {
      add(builder(), 'k\n');
    }).toThrow(expect.objectContaining({ code: 'internal' }));
    const notText = builder();
    expect(() => {
      for (let byte = 0xf0; byte < 0xff; byte++) notText.add(Buffer.of(byte), Buffer.alloc(300, 'x'));
    }).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('chunks given to the sink keep their bytes, and the sink is drained as it goes', async () => {
    const kept: { bytes: Buffer; copy: Buffer }[] = [];
    let drains = 0;
    const keep: ChunkSink['leaf'] = ({ bytes }) => {
      kept.push({ bytes, copy: Buffer.from(bytes) });
    };
    const builder = new TreeBuilder(
      {
        leaf: keep,
        node: keep,
        drain() {
          drains++;
          return Promise.resolve();
        },
      },
      TINY,
    );
    for (let number = 0; number < 20_000; number++) {
      builder.add(Buffer.from(String(number).padStart(8, '0')), Buffer.from('"value"'));
      if (builder.needsDrain) await builder.drain();
    }
    await builder.finish();
    expect(drains).toBeGreaterThan(kept.length / 128);
    for (const { bytes, copy } of kept) expect(bytes.equals(copy)).toBe(true);
  });
});
