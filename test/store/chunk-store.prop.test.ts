/**
 * What is put is read back, from whatever packs, through whatever chains of dictionaries.
 *
 * Method: a random script of commits. Each puts random chunks, some made from chunks of earlier commits and put
 * against them, in chains longer than the limit of 16. The model is a Map. At the end all chunks are read, all
 * packs verified, an index rebuilt from the footers alone, and a random part copied to another store.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/base/hash.ts';
import { ChunkStore } from '../../src/store/chunk-store.ts';
import { MemoryChunkIndex } from '../../src/store/memory-chunk-index.ts';
import { readFooter } from '../../src/store/pack-reader.ts';
import { verifyPack } from '../../src/store/pack-verify.ts';
import { RemoteChunks } from '../../src/store/remote-chunks.ts';
import { copyChunks, type WantedChunk } from '../../src/store/transfer.ts';
import { chunkOf, TestRepository } from './chunk-fixtures.ts';

interface Put {
  readonly kind: 'leaf' | 'node';
  readonly bytes: Uint8Array;
  /** Chunks put before, counted from the latest, that this one is made from; none for a chunk of its own. */
  readonly from: readonly number[];
}

const put: fc.Arbitrary<Put> = fc.record({
  kind: fc.constantFrom('leaf', 'node'),
  bytes: fc.uint8Array({ maxLength: 300, size: 'max' }),
  from: fc.oneof({ weight: 3, arbitrary: fc.constant([0]) }, fc.array(fc.nat(30), { maxLength: 10 })),
});
const commits = fc.array(fc.array(put, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 30, size: 'max' });

async function commit(repository: TestRepository, model: Map<Hash, Buffer>, puts: readonly Put[]): Promise<void> {
  const sink = repository.sink();
  const known = [...model].reverse();
  for (const { kind, bytes, from } of puts) {
    const parts = from.flatMap((number) => known[number] ?? []).filter((part) => Buffer.isBuffer(part));
    const replaces = from.flatMap((number) => known[number]?.[0] ?? []);
    const chunk = chunkOf(Buffer.concat([...parts.map((part) => part.subarray(0, 4000)), bytes]), replaces);
    sink[kind](chunk);
    model.set(chunk.hash, chunk.bytes);
  }
  repository.record(await sink.finish());
}

test('chunks of any commits are read back, packs verify, indexes are rebuilt and parts are copied', async () => {
  await fc.assert(
    fc.asyncProperty(commits, fc.infiniteStream(fc.boolean()), async (script, choice) => {
      const repository = new TestRepository();
      const model = new Map<Hash, Buffer>();
      for (const puts of script) await commit(repository, model, puts);
      const hashes = [...model.keys()];
      const expected = [...model.values()];

      expect(await repository.reader().getMany(hashes)).toEqual(expected);
      const rebuilt = new MemoryChunkIndex();
      for (const pack of repository.packs) {
        await verifyPack(pack.name, repository.packBytes(pack), repository.reader());
        rebuilt.add(await readFooter(repository.store, pack.name, pack.sizeBytes));
      }
      expect(await new ChunkStore(repository.store, rebuilt).getMany(hashes)).toEqual(expected);

      const there = new TestRepository('memory:there', 2);
      const wanted = hashes.filter(() => choice.next().value);
      const sink = there.sink();
      await copyChunks({
        from: new RemoteChunks(repository.store),
        to: sink,
        wanted: (async function* () {
          for (let at = 0; at < wanted.length; at += 7)
            yield wanted.slice(at, at + 7).map((hash): WantedChunk => ({ hash, kind: 'leaf' }));
        })(),
        alreadyThere: () => new Set(),
        depthThere: () => undefined,
      });
      there.record(await sink.finish());
      expect(await there.reader().getMany(wanted)).toEqual(wanted.map((hash) => model.get(hash)));
      for (const { frames } of there.packs) {
        for (const { dictionary, depth } of frames) {
          for (const hash of dictionary) expect(there.index.find(hash)?.frame.depth).toBeLessThan(depth);
        }
      }
    }),
    { numRuns: 60 },
  );
});
