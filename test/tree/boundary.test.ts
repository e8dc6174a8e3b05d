import { describe, expect, test } from 'vitest';
import { xxh32 } from '../../src/base/xxhash.ts';
import { ANCHOR_SEED, Boundary, HAZARD_WEIGHTS, isAnchor } from '../../src/tree/boundary.ts';
import { TreeBuilder } from '../../src/tree/build.ts';
import { FORMAT_1_PARAMETERS } from '../../src/tree/parameters.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { utterances } from './utterances.ts';

/** Weights of format 1, as docs/format.md lists them. */
const WEIGHTS = [
  86, 2332, 10799, 29633, 62982, 114993, 189812, 291586, 424464, 592590, 800114, 1051181, 1349939, 1700534, 2107114,
  2573826, 3104817, 3704233, 4376222, 5124931, 5954506, 6869096, 7872846, 8969904, 10164416, 11460531, 12862394,
  14374154, 15999956, 17743948, 19610277, 21603090, 23726533, 25984755, 28381902, 30922121, 33609558, 36448362,
  39442679, 42596655, 45914439, 49400177, 53058016, 56892102, 60906585, 65105609, 69493322, 74073871, 78851404,
  83830067, 89014006, 94407371, 100014306, 105838959, 111885478, 118158009, 124660699, 131397696, 138373146, 145591196,
  153055993, 160771685, 168742418, 176972339,
];

const key = Buffer.from('turn on the light\t');

/** A key that is an anchor, found by trying. */
function someKey(wanted: boolean): Buffer {
  for (let number = 0; ; number++) {
    const candidate = Buffer.from(`key ${number}`);
    if (isAnchor(candidate, FORMAT_1_PARAMETERS) === wanted) return candidate;
  }
}

describe('Boundary', () => {
  test('the weights are frozen', () => {
    expect(HAZARD_WEIGHTS).toEqual(WEIGHTS);
  });

  test('T6: the worked example of the format comes out as written', () => {
    expect(xxh32(key, 0, key.length, ANCHOR_SEED)).toBe(805723915);
    expect(xxh32(key, 0, key.length, 0)).toBe(178503946);
    expect(178503946 * 8192).toBe(1462304325632);
    expect((HAZARD_WEIGHTS[15] as number) * 68 * 4096).toBe(716882608128);
    const boundary = new Boundary(0, FORMAT_1_PARAMETERS);
    boundary.endsAfter(Buffer.from('before'), 0, 6, 1000);
    boundary.endsAfter(Buffer.from('before'), 0, 6, 6900);
    expect(boundary.endsAfter(key, 0, key.length, 68)).toBe(false);
  });

  test('below an eighth of the target nothing but an anchor ends a leaf', () => {
    const [anchor, other] = [someKey(true), someKey(false)];
    const boundary = new Boundary(0, FORMAT_1_PARAMETERS);
    expect(boundary.endsAfter(other, 0, other.length, 1023)).toBe(false);
    boundary.reset();
    expect(boundary.endsAfter(anchor, 0, anchor.length, 3)).toBe(true);
  });

  test('from four targets on every item ends its chunk', () => {
    const other = someKey(false);
    expect(new Boundary(0, FORMAT_1_PARAMETERS).endsAfter(other, 0, other.length, 32768)).toBe(true);
    expect(new Boundary(0, FORMAT_1_PARAMETERS).endsAfter(other, 0, other.length, 1e9)).toBe(true);
  });

  test('T7: the first child never ends a node, however large it is', () => {
    const boundary = new Boundary(1, FORMAT_1_PARAMETERS);
    expect(boundary.endsAfter(key, 0, key.length, 1e6)).toBe(false);
    expect(boundary.endsAfter(key, 0, key.length, 1)).toBe(true);
    expect(boundary.endsAfter(key, 0, key.length, 1e6)).toBe(false);
  });

  test('anchors are of leaves only', () => {
    const anchor = someKey(true);
    const boundary = new Boundary(1, FORMAT_1_PARAMETERS);
    expect(boundary.endsAfter(anchor, 0, anchor.length, 10)).toBe(false);
    expect(boundary.endsAfter(anchor, 0, anchor.length, 10)).toBe(false);
  });

  test('targets for which the arithmetic would not be exact are refused', () => {
    for (const leafTarget of [0, 15, 2 ** 20 + 1, 100.5]) {
      expect(() => new Boundary(0, { ...FORMAT_1_PARAMETERS, leafTarget })).toThrow('assertion failed');
    }
    expect(() => new Boundary(0, { ...FORMAT_1_PARAMETERS, anchorDenominator: 0 })).toThrow('assertion failed');
  });

  test('sizes of leaves cluster round the target', async () => {
    const chunks = new MemoryChunks();
    const sizes: number[] = [];
    const sink = {
      leaf(chunk: { readonly bytes: Buffer }): void {
        sizes.push(chunk.bytes.length);
      },
      node: chunks.node.bind(chunks),
      drain: () => Promise.resolve(),
    };
    const builder = new TreeBuilder(sink);
    for (const { key, value } of utterances(60_000)) builder.add(key, value);
    await builder.finish();
    sizes.pop();
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length;
    expect(sizes.length).toBeGreaterThan(500);
    expect(mean).toBeGreaterThan(8192 * 0.94);
    expect(mean).toBeLessThan(8192 * 1.06);
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.24);
    expect(Math.sqrt(variance) / mean).toBeLessThan(0.31);
  });
});
