/** Frames to be compressed and opened, as plain data: the work of a thread, or of this one. */
import { type Hash, sha256, type ShortName } from '../base/hash.ts';
import { compressDelta, compressFrame, decompressFrame, type Effort } from './frame.ts';

export interface FrameJob {
  readonly raw: Buffer;
  readonly effort: Effort;
  /** What a delta is made against; without it, the frame stands alone. */
  readonly dictionary?: Buffer | undefined;
  /** A delta must be at most this share of the full frame, or reading its dictionary is not worth it. */
  readonly share?: number | undefined;
}

/** A delta of at most this part of the raw bytes is used as it is: full frames are several times larger. */
const SURELY_SMALL = 0.03;

/** The stored bytes; undefined for a delta that is not worth it. */
export function runFrameJob({ raw, effort, dictionary, share = 1 }: FrameJob): Buffer | undefined {
  if (dictionary === undefined) return compressFrame(raw, effort);
  const delta = compressDelta(raw, dictionary, effort);
  if (delta === undefined || delta.length <= raw.length * SURELY_SMALL) return delta;
  // The full frame is only made where it could be in doubt.
  return delta.length <= compressFrame(raw).length * share ? delta : undefined;
}

/** Stored bytes of each job, in their order; undefined for a delta that is not worth it. */
export type Compress = (jobs: readonly FrameJob[]) => Promise<readonly (Buffer | undefined)[]>;

/** On this thread. */
export const compressHere: Compress = async (jobs) => jobs.map(runFrameJob);

/** A chunk that a frame must hold. */
export interface ExpectedChunk {
  readonly name: Hash | ShortName;
  /** First byte in the raw frame. */
  readonly offset: number;
  readonly length: number;
}

export interface OpenJob {
  readonly stored: Buffer;
  readonly rawBytes: number;
  readonly dictionary?: Buffer | undefined;
  readonly chunks: readonly ExpectedChunk[];
}

/** The raw bytes; undefined for a frame that is damaged or does not hold the chunks: whoever asked says how. */
export function runOpenJob({ stored, rawBytes, dictionary, chunks }: OpenJob): Buffer | undefined {
  try {
    const raw = decompressFrame(stored, rawBytes, { dictionary });
    const isRight = chunks.every(({ name, offset, length }) =>
      sha256(raw.subarray(offset, offset + length)).startsWith(name),
    );
    return isRight ? raw : undefined;
  } catch {
    return undefined;
  }
}

/** Whether each frame opens and holds its chunks, in their order. */
export type CheckFrames = (jobs: readonly OpenJob[]) => Promise<readonly boolean[]>;

/** Raw bytes of each frame, in their order, with the chunks checked; undefined for those not opened. */
export type OpenFrames = (jobs: readonly OpenJob[]) => Promise<readonly (Buffer | undefined)[]>;
