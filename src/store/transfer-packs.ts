import { throwIfAborted } from '../base/errors.ts';
import type { ShortName } from '../base/hash.ts';
import type { CallOptions } from '../base/ports.ts';
import { mapLimited } from '../base/parallel.ts';
import type { BlobStat, BlobStore } from './blob-store.ts';
import type { ChunkSource } from './chunks.ts';
import { verifyPack } from './pack-verify.ts';
import type { PackFrame, PackIndex } from './pack.ts';

/** Packs copied at the same time; each is in memory meanwhile. */
const PACKS_IN_FLIGHT = 2;

export interface CopyPacksOptions extends CallOptions {
  readonly from: BlobStore;
  readonly to: BlobStore;
  /** Packs of which all is wanted. */
  readonly packs: readonly BlobStat[];
  /** Reads the chunks of `from`. */
  readonly source: Pick<ChunkSource, 'getMany'>;
  /** Depth of a chunk's frame in the other store; undefined when it is not there. */
  readonly depthThere: (name: ShortName) => number | undefined | Promise<number | undefined>;
  /** Told of each pack once it is in the other store. */
  readonly onPack?: (index: PackIndex) => void;
}

/**
 * Copies whole packs under their own names, each checked before it is sent; a pack that is there already, of
 * the same size, is not sent again.
 *
 * @returns packs not copied because the other store lacks the dictionaries of their frames: copy their chunks
 * with `copyChunks`.
 * @throws bad-pack, bad-checksum for a damaged pack; errors of both stores
 */
export async function copyPacks(options: CopyPacksOptions): Promise<{ readonly left: BlobStat[] }> {
  const copied = new Map<ShortName, number>();
  const send = async (pack: BlobStat, mayNeedOthers: boolean): Promise<boolean> => {
    const { from, to, source, onPack, signal } = options;
    throwIfAborted(signal);
    const bytes = await from.get(pack.name, undefined, { signal });
    const index = await verifyPack(pack.name, bytes, source);
    const frames = framesThatNeedOthers(index);
    if (frames.length > 0 && !(mayNeedOthers && (await hasDictionaries(frames, copied, options)))) return false;
    const there = await to.stat(pack.name, { signal });
    if (there?.sizeBytes !== bytes.length) await to.put(pack.name, bytes, { signal });
    for (const { name, frame } of index.chunks) {
      const { depth } = index.frames[frame] as PackFrame;
      copied.set(name, Math.min(depth, copied.get(name) ?? depth));
    }
    onPack?.(index);
    return true;
  };
  const sent = await mapLimited(options.packs, PACKS_IN_FLIGHT, (pack) => send(pack, false));
  const left: BlobStat[] = [];
  for (const [position, pack] of options.packs.entries()) {
    if (sent[position] === false && !(await send(pack, true))) left.push(pack);
  }
  return { left };
}

/** Frames with a dictionary chunk that their own pack does not hold, or only in a frame as deep as they are. */
function framesThatNeedOthers(index: PackIndex): PackFrame[] {
  const own = new Map<ShortName, number>();
  for (const { name, frame } of index.chunks) {
    const { depth } = index.frames[frame] as PackFrame;
    own.set(name, Math.min(depth, own.get(name) ?? depth));
  }
  return index.frames.filter(({ dictionary, depth }) => dictionary.some((name) => (own.get(name) ?? depth) >= depth));
}

/** Whether each dictionary chunk is there at a depth less than that of the frame that needs it (P7). */
async function hasDictionaries(
  frames: readonly PackFrame[],
  copied: ReadonlyMap<ShortName, number>,
  { depthThere }: CopyPacksOptions,
): Promise<boolean> {
  for (const { dictionary, depth } of frames) {
    for (const name of dictionary) {
      const there = copied.get(name) ?? (await depthThere(name));
      if (there === undefined || there >= depth) return false;
    }
  }
  return true;
}
