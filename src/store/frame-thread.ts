/**
 * Compresses, opens and checks frames on a thread of its own: the tree goes on meanwhile. The bytes are the same either way,
 * and a thread that cannot start or ends early leaves its work to this one.
 */
import { inOwnMemory } from '../base/own-memory.ts';
import { WorkerRequests } from '../base/worker-requests.ts';
import { type CheckFrames, type Compress, compressHere, type OpenFrames, type OpenJob } from './frame-job.ts';
import type { CompressPlan, FrameAnswer, FrameRequest, OpenPlan } from './frame-worker.ts';

/** Of each job; undefined: the thread has ended. */
type Results = readonly (Buffer | undefined)[] | undefined;

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

  readonly open: OpenFrames = async (jobs) => (await this.#open(jobs, false)) ?? jobs.map(() => undefined);

  readonly check: CheckFrames = async (jobs) => {
    const opened = await this.#open(jobs, true);
    return jobs.map((_, position) => opened?.[position] !== undefined);
  };

  close(): Promise<void> {
    return this.#requests.close();
  }

  #open(jobs: readonly OpenJob[], isCheck: boolean): Promise<Results> {
    const plans = jobs.map(({ stored, rawBytes, dictionary, chunks }) => ({
      bytes: stored.length,
      dictionaryBytes: dictionary?.length,
      rawBytes,
      chunks,
      isCheck,
    }));
    return this.#run(
      jobs.flatMap(({ stored, dictionary }) => withDictionary(stored, dictionary)),
      plans,
    );
  }

  async #run(parts: readonly Buffer[], jobs: readonly (CompressPlan | OpenPlan)[]): Promise<Results> {
    if (jobs.length === 0) return [];
    const bytes = inOwnMemory(parts);
    const answer = await this.#requests.ask({ bytes, jobs }, [bytes.buffer]);
    return answer?.results.map((result) => (result === undefined ? undefined : Buffer.from(result.buffer)));
  }
}

function withDictionary(frame: Buffer, dictionary: Buffer | undefined): Buffer[] {
  return dictionary === undefined ? [frame] : [frame, dictionary];
}
