/**
 * Reads the stored bytes of frames with few requests: neighbours are merged into one range, and several
 * ranges are read at once.
 */
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import { mapLimited } from '../base/parallel.ts';
import type { BlobStore, ByteRange } from './blob-store.ts';
import { frameKey, type FrameLocation } from './chunk-index.ts';
import { badPack } from './pack.ts';

/** Reading this many bytes for nothing costs less than one more request to an object store. */
export const MERGE_GAP_BYTES = 128 * 2 ** 10;
export const RANGE_LIMIT_BYTES = 16 * 2 ** 20;
/** Ranges read at the same time. */
export const RANGES_IN_FLIGHT = 8;

/** Told of each answer: the bytes of a pack from `start` on. */
export type OnRead = (pack: string, start: number, bytes: Buffer) => void;

/** One request and the frames it answers. */
export interface FrameRange extends ByteRange {
  readonly pack: string;
  readonly frames: readonly FrameLocation[];
}

/** Ranges that cover the frames, each over one pack; frames of one pack come in ascending order of offset. */
export function mergeFrames(frames: readonly FrameLocation[], gapBytes: number = MERGE_GAP_BYTES): FrameRange[] {
  const packs = new Map<string, FrameLocation[]>();
  for (const frame of frames) {
    const list = packs.get(frame.pack);
    if (list === undefined) packs.set(frame.pack, [frame]);
    else list.push(frame);
  }
  return [...packs.values()].flatMap((list) =>
    mergePack(
      list.sort((a, b) => a.offset - b.offset),
      gapBytes,
    ),
  );
}

function mergePack(frames: readonly FrameLocation[], gapBytes: number): FrameRange[] {
  const ranges: { pack: string; start: number; end: number; frames: FrameLocation[] }[] = [];
  for (const frame of frames) {
    const { pack, offset: start } = frame;
    const end = start + frame.storedBytes;
    const last = ranges.at(-1);
    if (last !== undefined && start - last.end <= gapBytes && end - last.start <= RANGE_LIMIT_BYTES) {
      last.end = Math.max(last.end, end);
      last.frames.push(frame);
    } else {
      ranges.push({ pack, start, end, frames: [frame] });
    }
  }
  return ranges;
}

/**
 * Stored bytes of the frames, by `frameKey`.
 *
 * @throws wrong-answer when the store answers with another length than asked; bad-pack when the pack is gone.
 */
export async function readFrames(
  store: Pick<BlobStore, 'get' | 'url' | 'requestCostBytes'>,
  frames: readonly FrameLocation[],
  onRead?: OnRead,
  signal?: AbortSignal,
): Promise<Map<string, Buffer>> {
  const stored = new Map<string, Buffer>();
  await mapLimited(mergeFrames(frames, store.requestCostBytes), RANGES_IN_FLIGHT, async (range) => {
    throwIfAborted(signal);
    const bytes = await readRange(store, range.pack, range, signal);
    onRead?.(range.pack, range.start, bytes);
    for (const frame of range.frames) {
      const start = frame.offset - range.start;
      stored.set(frameKey(frame), bytes.subarray(start, start + frame.storedBytes));
    }
  });
  return stored;
}

/** Bytes `[start, end)` of a pack, exactly. @throws wrong-answer, bad-pack, errors of the store */
export async function readRange(
  store: Pick<BlobStore, 'get' | 'url'>,
  pack: string,
  { start, end }: ByteRange,
  signal?: AbortSignal,
): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await store.get(pack, { start, end }, { signal });
  } catch (error) {
    if (isUttrError(error, 'blob-not-found')) throw badPack(pack, `it is not in ${store.url} any more`, error);
    throw error;
  }
  if (bytes.length === end - start) return bytes;
  throw new UttrError(
    'wrong-answer',
    `${store.url} answered ${bytes.length} bytes for bytes ${start} to ${end} of pack ${pack}`,
    { details: { pack, store: store.url }, hint: 'try again; if it stays so, run `uttr fsck`' },
  );
}
