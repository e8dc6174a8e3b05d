import { readFileSync } from 'node:fs';
import cryptoJs from 'crypto-js';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/base/codec.ts';
import { UttrError } from '../../src/base/errors.ts';
import { sha256, sha256Bytes, shortName, shortNameToBytes, type Hash, type ShortName } from '../../src/base/hash.ts';
import { ChunkStore } from '../../src/store/chunk-store.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { MemoryChunkIndex } from '../../src/store/memory-chunk-index.ts';
import { readFooter } from '../../src/store/pack-reader.ts';
import { checkPack, verifyPack } from '../../src/store/pack-verify.ts';
import {
  decodeFooter,
  encodeFooter,
  footerLength,
  PACK_TRAILER_BYTES,
  packKind,
  type PackFrame,
  type PackIndex,
} from '../../src/store/pack.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { chunkOf, editLeaf, leafHistory, manyLeaves, TestRepository } from './chunk-fixtures.ts';

const GOLDEN = 'packs/d/01KDVDH3G8KDVDH3G8KDVDH3G8';
const goldenBytes = readFileSync(new URL('../golden/pack-v1/pack.bin', import.meta.url));
const goldenIndex: unknown = JSON.parse(readFileSync(new URL('../golden/pack-v1/index.json', import.meta.url), 'utf8'));
const goldenOutside = readFileSync(new URL('../golden/pack-v1/outside.txt', import.meta.url));

const outside = {
  getMany: async (names: readonly (Hash | ShortName)[]): Promise<Buffer[]> =>
    names.map((name) => {
      if (!sha256(goldenOutside).startsWith(name)) throw new UttrError('missing-chunk', `chunk ${name} is absent`);
      return goldenOutside;
    }),
};

const footerOf = (bytes: Buffer): Buffer => bytes.subarray(bytes.length - footerLength('pack', bytes));
const isCorrupt = (error: unknown): boolean =>
  error instanceof UttrError && (error.kind === 'corrupt' || error.code === 'format-too-new');

describe('a frozen pack of format 1', () => {
  test('is read as it was written', async () => {
    expect(await verifyPack(GOLDEN, goldenBytes, outside)).toEqual(goldenIndex);
  });

  test('has the footer that this version writes, byte by byte', () => {
    const index = goldenIndex as PackIndex;
    expect(encodeFooter(index).toString('hex')).toBe(footerOf(goldenBytes).toString('hex'));
    expect(decodeFooter(GOLDEN, footerOf(goldenBytes))).toEqual(index);
  });

  test('holds digests that an independent implementation of SHA-256 agrees with', async () => {
    const digest = (bytes: Buffer): string =>
      cryptoJs.SHA256(cryptoJs.enc.Hex.parse(bytes.toString('hex'))).toString(cryptoJs.enc.Hex);
    const index = await verifyPack(GOLDEN, goldenBytes, outside);
    const footer = footerOf(goldenBytes);
    const content = footer.subarray(0, footer.length - PACK_TRAILER_BYTES);
    expect(digest(goldenBytes.subarray(0, goldenBytes.length - footer.length))).toBe(index.bodyHash);
    expect(digest(content)).toBe(footer.subarray(content.length, content.length + 32).toString('hex'));
    const store = new MemoryBlobStore();
    store.blobs.set(GOLDEN, goldenBytes);
    const locations = new MemoryChunkIndex();
    locations.add(index);
    const reader = new ChunkStore(store, locations, { fallback: { get: async () => goldenOutside, ...outside } });
    for (const { name } of index.chunks) expect(digest(await reader.get(name)).slice(0, 32)).toBe(name);
  });

  test('with any bit flipped is refused, and never yields wrong bytes (P3, P6)', async () => {
    const index = goldenIndex as PackIndex;
    const locations = new MemoryChunkIndex();
    locations.add(index);
    const store = new MemoryBlobStore();
    const bodyBytes = goldenBytes.length - footerOf(goldenBytes).length;
    const failures: string[] = [];
    for (let bit = 0; bit < goldenBytes.length * 8; bit += 1) {
      const damaged = Buffer.from(goldenBytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      const verified: unknown = await verifyPack(GOLDEN, damaged, outside).catch((error: unknown) => error);
      if (!isCorrupt(verified)) failures.push(`bit ${bit} is not found by verifying: ${String(verified)}`);
      // A reader whose index is intact sees the frames only.
      if (bit >> 3 >= bodyBytes) continue;
      store.blobs.set(GOLDEN, damaged);
      const reader = new ChunkStore(store, locations, { fallback: { get: async () => goldenOutside, ...outside } });
      for (const { name } of index.chunks) {
        const read: unknown = await reader.get(name).catch((error: unknown) => error);
        const isRight = Buffer.isBuffer(read) && sha256(read).startsWith(name);
        if (!isRight && !isCorrupt(read)) failures.push(`bit ${bit} lets ${name} be read as ${String(read)}`);
      }
    }
    expect(failures).toEqual([]);
  });

  test('cut short at any byte is refused without the catalogue (P2)', async () => {
    const store = new MemoryBlobStore();
    for (let length = 0; length < goldenBytes.length; length += 1) {
      const cut = goldenBytes.subarray(0, length);
      store.blobs.set(GOLDEN, cut);
      await expect(verifyPack(GOLDEN, cut, outside)).rejects.toSatisfy(isCorrupt);
      await expect(readFooter(store, GOLDEN, length)).rejects.toSatisfy(isCorrupt);
    }
  });

  test('with any byte left out, doubled or added is refused', () => {
    for (let at = 0; at <= goldenBytes.length; at += 1) {
      const [head, tail] = [goldenBytes.subarray(0, at), goldenBytes.subarray(at)];
      const added = Buffer.concat([head, Buffer.from([0]), tail]);
      expect(() => checkPack(GOLDEN, added)).toThrow(UttrError);
      if (tail.length === 0) continue;
      expect(() => checkPack(GOLDEN, Buffer.concat([head, tail.subarray(1)]))).toThrow(UttrError);
      expect(() => checkPack(GOLDEN, Buffer.concat([head, tail.subarray(0, 1), tail]))).toThrow(UttrError);
    }
  });
});

describe('reading footers', () => {
  test('takes one range read for a small footer and two for a long one', async () => {
    const repository = new TestRepository();
    const [small] = await repository.putLeaves([chunkOf('a')]);
    const many = Array.from({ length: 4000 }, (_, number) => chunkOf(`chunk ${number}`));
    const [large] = await repository.putLeaves(many);
    for (const [pack, reads] of [
      [small, 1],
      [large, 2],
    ] as const) {
      const { name, sizeBytes } = pack as PackIndex;
      repository.store.calls.length = 0;
      expect(await readFooter(repository.store, name, sizeBytes)).toEqual(pack);
      expect(repository.store.calls).toHaveLength(reads);
    }
  });

  test('a footer of another pack is refused by the size', async () => {
    const repository = new TestRepository();
    const [pack] = await repository.putLeaves([chunkOf('a')]);
    const bytes = Buffer.concat([Buffer.alloc(9), repository.packBytes(pack as PackIndex)]);
    repository.memory.blobs.set((pack as PackIndex).name, bytes);
    const reading = readFooter(repository.store, (pack as PackIndex).name, bytes.length);
    await expect(reading).rejects.toMatchObject({ code: 'bad-pack' });
  });

  test('a pack larger than any may be is refused unread', async () => {
    const store = new MemoryBlobStore();
    await expect(readFooter(store, GOLDEN, 65 * 2 ** 20)).rejects.toMatchObject({ code: 'bad-pack' });
  });

  test('a pack of a later format says that a newer uttr is needed', async () => {
    for (const at of [7, goldenBytes.length - 1]) {
      const later = Buffer.from(goldenBytes);
      later[at] = 2;
      await expect(verifyPack(GOLDEN, later, outside)).rejects.toMatchObject({ code: 'format-too-new' });
    }
  });
});

/** A footer with a valid digest whose columns are whatever a test writes. */
function sealed(write: (footer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter();
  write(writer);
  const footer = writer.finish();
  writer.bytes(sha256Bytes(footer));
  writer.u32(footer.length);
  writer.bytes(Buffer.from('uttrend\u0001', 'latin1'));
  return writer.finish();
}

interface FooterShape {
  readonly counts: readonly [number, number, number];
  /** Numbers of the frame entries; bars are for the reader. */
  readonly entries: string;
  readonly lengths: readonly number[];
  readonly names: readonly string[];
}

const shaped = ({ counts, entries, lengths, names }: FooterShape): Buffer =>
  sealed((footer) => {
    for (const count of counts) footer.varint(count);
    footer.bytes(Buffer.alloc(32));
    for (const number of entries.match(/\d+/gu) ?? []) footer.varint(Number(number));
    for (const length of lengths) footer.varint(length);
    for (const name of names) footer.bytes(shortNameToBytes(shortName(sha256(name))));
  });

describe('hostile footers with a valid digest are bad packs (P4, P5)', () => {
  /** One full frame of chunk a, then chunk b against chunk a, then chunk c against x of another pack. */
  const good: FooterShape = {
    counts: [3, 3, 1],
    entries: '50 2 | 20 3 0 2 | 20 3 0 0',
    lengths: [100, 100, 100],
    names: ['a', 'b', 'c', 'x'],
  };
  test('the sound one is read', () => {
    const pack = decodeFooter(GOLDEN, shaped(good));
    expect(pack.frames.map(({ offset, dictionary }) => [offset, dictionary])).toEqual([
      [8, []],
      [58, [shortName(sha256('a'))]],
      [78, [shortName(sha256('x'))]],
    ]);
    expect(encodeFooter({ ...pack }).equals(shaped(good))).toBe(true);
  });

  test.for<[string, Partial<FooterShape>, string]>([
    ['more frames than bytes', { counts: [2 ** 40, 3, 1] }, 'number of frames'],
    ['more chunks than bytes', { counts: [3, 2 ** 31, 1] }, 'number of chunks'],
    ['more dictionary chunks than bytes', { counts: [3, 3, 2 ** 50] }, 'number of dictionary chunks'],
    ['fewer frames than chunks need', { counts: [2, 3, 1], entries: '50 2 | 20 3 0 2' }, '2 chunks, not 3'],
    ['a frame of more chunks than there are', { entries: '50 8 | 20 3 0 2 | 20 3 0 0' }, 'chunks of a frame'],
    ['a frame without chunks', { entries: '50 0 | 20 3 0 2 | 20 3 0 0' }, 'no chunk'],
    ['a frame without bytes', { entries: '0 2 | 20 3 0 2 | 20 3 0 0' }, 'no bytes'],
    ['a frame larger than a pack', { entries: '1073741824 2 | 20 3 0 2 | 20 3 0 0' }, 'length of a frame'],
    ['frames that together exceed a pack', { entries: '67108864 2 | 20 3 0 2 | 20 3 0 0' }, 'more than a pack'],
    ['a chunk larger than a frame may be', { lengths: [2 ** 40, 100, 100] }, 'length of a chunk'],
    ['a dictionary too deep', { entries: '50 2 | 20 3 128 2 | 20 3 0 0' }, 'size and depth'],
    ['a reference to itself or later', { entries: '50 2 | 20 3 0 6 | 20 3 0 0' }, 'before the first'],
    ['a reference out of range', { entries: '50 2 | 20 3 0 99 | 20 3 0 0' }, 'a reference'],
    ['a reference not yet named', { entries: '50 2 | 20 3 0 1 | 20 3 0 0' }, 'not named before'],
    ['one more new reference than names', { entries: '50 2 | 20 3 0 0 | 20 3 0 0' }, 'no dictionary chunk'],
    ['a name nobody refers to', { entries: '50 2 | 20 3 0 2 | 20 3 0 4' }, 'nobody refers to'],
    ['a dictionary as deep as its user', { entries: '50 2 | 20 3 0 2 | 20 3 0 2' }, 'not shallower'],
    ['bytes left over', { names: ['a', 'b', 'c', 'x', 'y'] }, '16 bytes too many'],
    ['bytes missing', { names: ['a', 'b', 'c'] }, 'ends too early'],
  ])('%s', ([, shape, reason]) => {
    expect(() => decodeFooter(GOLDEN, shaped({ ...good, ...shape }))).toThrow(
      expect.objectContaining({ code: 'bad-pack', message: expect.stringContaining(reason) as string }),
    );
  });

  test('a footer that says it is longer than its pack', async () => {
    const bytes = Buffer.from(goldenBytes);
    bytes.writeUInt32BE(2 ** 31, bytes.length - 12);
    const store = new MemoryBlobStore();
    store.blobs.set(GOLDEN, bytes);
    await expect(readFooter(store, GOLDEN, bytes.length)).rejects.toMatchObject({ code: 'bad-pack' });
    await expect(verifyPack(GOLDEN, bytes, outside)).rejects.toMatchObject({ code: 'bad-pack' });
  });

  test('chunks swapped in the footer are found by verifying', async () => {
    const index = goldenIndex as PackIndex;
    const names = index.chunks.map(({ name }) => name);
    const swapped = index.chunks.map((chunk, at) => ({ ...chunk, name: names[at ^ 1] ?? chunk.name }));
    const body = goldenBytes.subarray(0, goldenBytes.length - footerOf(goldenBytes).length);
    const footer = encodeFooter({ ...index, chunks: swapped });
    const verifying = verifyPack(GOLDEN, Buffer.concat([body, footer]), outside);
    await expect(verifying).rejects.toMatchObject({ code: 'bad-checksum' });
  });

  test('frames swapped in the footer are found by verifying', async () => {
    const repository = new TestRepository();
    const [a, b] = manyLeaves(2) as [ChunkWrite, ChunkWrite];
    const sink = repository.sink();
    sink.leaf(a);
    const [first] = await sink.finish();
    const other = repository.sink();
    other.leaf(b);
    const [second] = await other.finish();
    const frames = [first, second].map((pack) => {
      const frame = (pack as PackIndex).frames[0] as PackFrame;
      return repository.packBytes(pack as PackIndex).subarray(frame.offset, frame.offset + frame.storedBytes);
    }) as [Buffer, Buffer];
    const body = Buffer.concat([Buffer.from('uttrpak\u0001', 'latin1'), frames[1], frames[0]]);
    const entry = (number: number, stored: Buffer, chunk: ChunkWrite): PackFrame => ({
      pack: GOLDEN,
      offset: 0,
      storedBytes: stored.length,
      rawBytes: chunk.bytes.length,
      depth: 0,
      dictionary: [],
      firstChunk: number,
      chunkCount: 1,
    });
    const footer = encodeFooter({
      bodyHash: sha256(body),
      frames: [entry(0, frames[0], a), entry(1, frames[1], b)],
      chunks: [a, b].map(({ hash, bytes }, frame) => ({
        name: shortName(hash),
        frame,
        offset: 0,
        length: bytes.length,
      })),
    });
    const verifying = verifyPack(GOLDEN, Buffer.concat([body, footer]), outside);
    await expect(verifying).rejects.toMatchObject({ code: 'bad-checksum' });
  });
});

describe('verifyPack', () => {
  test('takes every pack that a sink writes, with dictionaries inside and outside', async () => {
    const repository = new TestRepository();
    const leaves = manyLeaves(30);
    await repository.putLeaves(leaves);
    await repository.putLeaves(leaves.map((leaf, row) => editLeaf(leaf, row, 'edited')));
    for (const state of leafHistory(20)) await repository.putLeaves([state]);
    for (const pack of repository.packs) {
      const verified = await verifyPack(pack.name, repository.packBytes(pack), repository.reader());
      expect(verified).toEqual(pack);
    }
  });

  test('needs the dictionaries of other packs', async () => {
    const none = { getMany: () => Promise.reject(new UttrError('missing-chunk', 'absent')) };
    await expect(verifyPack(GOLDEN, goldenBytes, none)).rejects.toMatchObject({ code: 'missing-chunk' });
  });
});

test('only packs/d/<ulid> and packs/m/<ulid> name packs (P8)', () => {
  expect(packKind('packs/d/01KDVDH3G8KDVDH3G8KDVDH3G8')).toBe('d');
  expect(packKind('packs/m/01KDVDH3G8KDVDH3G8KDVDH3G8')).toBe('m');
  for (const name of [
    'packs/x/01KDVDH3G8KDVDH3G8KDVDH3G8',
    'packs/d/readme',
    'packs/d/a/01KDVDH3G8KDVDH3G8KDVDH3G8',
    '',
  ]) {
    expect(packKind(name)).toBeUndefined();
  }
});
