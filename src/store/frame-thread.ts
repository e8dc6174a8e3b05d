/**
 * Compresses and opens frames on a thread of its own: the tree goes on meanwhile. The bytes are the same either way,
 * and a thread that cannot start or ends early leaves its work to this one.
 */
import { inOwnMemory } from '../base/own-memory.ts';
import { WorkerRequests } from '../base/worker-requests.ts';
import { type Compress, compressHere, type OpenFrames } from './frame-job.ts';
import type { CompressPlan, FrameAnswer, FrameRequest, OpenPlan } from './frame-worker.ts';

/** A frame's bytes are no objects of the heap: what the thread itself makes is little. */
const YOUNG_MEGABYTES = 8;

export class FrameThread {
  readonly #requests = new WorkerRequests<FrameRequest, FrameAnswer>(import.meta.url, 'frame-worker', {
    maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
  });

  readonly compress: Compress = async (jobs) => {
    const plans = jobs.map(({ raw, effort, dictionary, share }) => ({
      bytes: raw.length,
      dictionaryBytes: dictionary?.length,
      effort,
      share,
    }));
    const parts = jobs.flatMap(({ raw, dictionary }) => withDictionary(raw, dictionary));
    return (await this.#run(parts, plans)) ?? compressHere(jobs);
  };

  readonly open: OpenFrames = async (jobs) => {
    const plans = jobs.map(({ stored, rawBytes, dictionary, chunks }) => ({
      bytes: stored.length,
      dictionaryBytes: dictionary?.length,
      rawBytes,
      chunks,
    }));
    const parts = jobs.flatMap(({ stored, dictionary }) => withDictionary(stored, dictionary));
    return (await this.#run(parts, plans)) ?? jobs.map(() => undefined);
  };

  close(): Promise<void> {
    return this.#requests.close();
  }

  /** undefined: the thread has ended. */
  async #run(
    parts: readonly Buffer[],
    jobs: readonly (CompressPlan | OpenPlan)[],
  ): Promise<readonly (Buffer | undefined)[] | undefined> {
    if (jobs.length === 0) return [];
    const bytes = inOwnMemory(parts);
    const answer = await this.#requests.ask({ bytes, jobs }, [bytes.buffer]);
    return answer?.results.map((result) => (result === undefined ? undefined : Buffer.from(result.buffer)));
  }
}

function withDictionary(frame: Buffer, dictionary: Buffer | undefined): Buffer[] {
  return dictionary === undefined ? [frame] : [frame, dictionary];
}
