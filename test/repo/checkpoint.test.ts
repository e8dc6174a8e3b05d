import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/records/manifest.ts';
import {
  type Checkpoint,
  checkpointAfter,
  checkpointOfWhole,
  isCheckpoint,
  isHeavy,
  joinCheckpoints,
} from '../../src/repo/checkpoint.ts';
import { TransferCount } from '../../src/repo/transfer-count.ts';
import type { Version } from '../../src/repo/versions.ts';
import type { PackFrame, PackIndex } from '../../src/store/pack.ts';

const [A, B, C] = ['A', 'B', 'C'].map((letter) => `01KDVDNJS8HWFKYDQE8DW4T3F${letter}`) as [string, string, string];

/** Its leaves have so many bytes, of which a tenth has no label. */
function versionOf(bytes: number): Version {
  const tree = { root: null, height: 0, records: 0 };
  const sides = { train: { ...tree, groups: 0, bytes: bytes * 0.6 }, test: { ...tree, groups: 0, bytes: bytes * 0.3 } };
  const manifest = { sides, unlabelled: { ...tree, bytes: bytes * 0.1 } } as unknown as Manifest;
  return { manifest } as Version;
}

const frame = (depth: number, storedBytes: number, rawBytes: number): PackFrame =>
  ({ depth, storedBytes, rawBytes }) as PackFrame;

function packOf(ulid: string, sizeBytes: number, frames: readonly PackFrame[] = []): PackIndex {
  return { name: `packs/d/${ulid}`, sizeBytes, frames, chunks: [] } as unknown as PackIndex;
}

function countOf(...packs: readonly PackIndex[]): TransferCount {
  const count = new TransferCount();
  for (const pack of packs) count.add(pack);
  return count;
}

const point = (fields: Partial<Checkpoint> = {}): Checkpoint => ({
  bytes: 1_000_000,
  first: B,
  last: B,
  raw: 8_000_000,
  since: 0,
  ...fields,
});

describe('a checkpoint', () => {
  test('of one version sent for the first time is all that was sent', () => {
    const sent = countOf(packOf(B, 700), packOf(A, 100), packOf(C, 50));
    expect(checkpointAfter(undefined, [versionOf(5000)], sent)).toEqual({
      bytes: 850,
      first: A,
      last: C,
      raw: 5000,
      since: 0,
    });
  });

  test('of a history sent for the first time is what the newest version takes in frames of its own', () => {
    const sent = countOf(packOf(A, 900, [frame(0, 400, 4000), frame(3, 300, 4000)]));
    const versions = [versionOf(4000), versionOf(5000)];
    expect(checkpointAfter(undefined, versions, sent)).toMatchObject({ bytes: 500, raw: 5000, since: 400 });
  });

  test('counts what is sent after it, and what an interrupted push had sent', () => {
    const sent = countOf(packOf(C, 300));
    sent.weigh(packOf(C, 40));
    expect(sent).toMatchObject({ packs: 1, bytes: 300 });
    expect(checkpointAfter(point({ since: 7 }), [versionOf(9)], sent)).toEqual(point({ since: 347 }));
  });

  test('begins earlier where a pack was named by a clock that is behind', () => {
    expect(checkpointAfter(point(), [versionOf(9)], countOf(packOf(A, 1)))).toEqual(point({ first: A, since: 1 }));
  });

  test('is none where nothing was ever sent', () => {
    expect(checkpointAfter(undefined, [], new TransferCount())).toBeUndefined();
    expect(checkpointOfWhole(versionOf(1), new TransferCount())).toBeUndefined();
  });

  test.each([
    [440_000, 8_000_000, false],
    [460_000, 8_000_000, true],
    // It grew, and a fresh import of it would have grown with it.
    [460_000, 8_400_000, false],
    // It shrank, and what it was made from is still to be fetched.
    [0, 5_600_000, false],
    [0, 5_400_000, true],
  ])('with %d bytes since, a version of %d raw bytes is heavy: %s', (since, rawBytes, heavy) => {
    expect(isHeavy(point({ since }), versionOf(rawBytes))).toBe(heavy);
  });

  test('of little data is heavy only when requests are not what costs', () => {
    const small = { bytes: 1000, raw: 8000 };
    expect(isHeavy(point({ ...small, since: 64 * 1024 }), versionOf(8000))).toBe(false);
    expect(isHeavy(point({ ...small, since: 64 * 1024 + 1 }), versionOf(8000))).toBe(true);
    expect(isHeavy(point({ bytes: 100, raw: 0, since: 64 * 1024 + 1 }), versionOf(0))).toBe(true);
  });

  test('of several heads covers the first pack of all', () => {
    const [light, heavy] = [point({ first: A, since: 5 }), point({ first: B, last: C, since: 9 })];
    for (const heads of [
      [light, heavy],
      [heavy, light],
    ]) {
      expect(joinCheckpoints([{}, ...heads.map((checkpoint) => ({ checkpoint }))])).toEqual({ ...heavy, first: A });
    }
    expect(joinCheckpoints([{}])).toBeUndefined();
  });

  test.each([
    [point(), true],
    [{ ...point(), since: -1 }, false],
    [{ ...point(), bytes: 1.5 }, false],
    [{ ...point(), first: 'yesterday' }, false],
    [{ ...point(), last: 7 }, false],
    [{ ...point(), more: 1 }, false],
    [{ bytes: 1, first: A, last: A, raw: 1 }, false],
    [null, false],
    ['', false],
  ])('%j is one: %s', (value, is) => {
    expect(isCheckpoint(value)).toBe(is);
  });
});
