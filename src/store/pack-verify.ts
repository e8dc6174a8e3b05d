import { sha256 } from '../base/hash.ts';
import type { ChunkSource } from './chunks.ts';
import { divideFrames, FrameReader } from './frame-reader.ts';
import { MemoryChunkIndex } from './memory-chunk-index.ts';
import { badPack, checkHeader, decodeFooterOf, footerLength, PACK_HEADER, type PackIndex } from './pack.ts';

const CACHE_BYTES = 32 * 2 ** 20;

/**
 * Checks the outside of a whole pack: finds any change of any byte, without decompressing.
 *
 * @throws bad-pack, format-too-new
 */
export function checkPack(name: string, bytes: Buffer): PackIndex {
  checkHeader(name, bytes);
  const length = footerLength(name, bytes);
  if (length > bytes.length - PACK_HEADER.length) throw badPack(name, 'its footer is longer than the pack');
  const index = decodeFooterOf(name, bytes.length, bytes.subarray(bytes.length - length));
  if (sha256(bytes.subarray(0, bytes.length - length)) !== index.bodyHash) throw badPack(name, 'a frame is damaged');
  return index;
}

/**
 * Checks a whole pack: any change of any byte is found, and each chunk has the bytes of its name.
 *
 * @param outside reads the dictionary chunks that other packs hold.
 * @throws bad-pack, bad-checksum, format-too-new; errors of `outside`
 */
export async function verifyPack(
  name: string,
  bytes: Buffer,
  outside: Pick<ChunkSource, 'getMany'>,
): Promise<PackIndex> {
  const pack = checkPack(name, bytes);
  const index = new MemoryChunkIndex();
  index.add(pack);
  const reader = new FrameReader({
    store: { url: 'memory', get: async (_, range) => bytes.subarray(range?.start, range?.end) },
    // A chunk that this pack holds only in a deeper frame is meant as another pack holds it (P7).
    locate: async (names, { depths }) =>
      names.map((name, position) => {
        const location = index.find(name);
        return location !== undefined && location.frame.depth < (depths?.[position] ?? Infinity) ? location : undefined;
      }),
    elsewhere: (names) => outside.getMany(names),
    cacheBytes: CACHE_BYTES,
  });
  for (const frames of divideFrames(pack.frames)) await reader.readWholeFrames(frames, async () => pack);
  return pack;
}
