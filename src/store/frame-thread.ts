/**
 * Compresses frames, on a thread of its own where that is started: the tree goes on while its chunks are compressed.
 * The bytes are the same either way, and a thread that cannot start or ends early leaves its work to this one.
 */
import { inOwnMemory } from '../base/own-memory.ts';
import { WorkerRequests } from '../base/worker-requests.ts';
import type { CompressAnswer, CompressRequest } from './compress-worker.ts';
import { type Compress, compressHere } from './frame-job.ts';

/** A frame's bytes are no objects of the heap: what the thread itself makes is little. */
const YOUNG_MEGABYTES = 8;

export class CompressThread {
  readonly #requests = new WorkerRequests<CompressRequest, CompressAnswer>(import.meta.url, 'compress-worker', {
    maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
  });

  readonly compress: Compress = async (jobs) => {
    if (jobs.length === 0) return [];
    const parts = jobs.flatMap(({ raw, dictionary }) => (dictionary === undefined ? [raw] : [raw, dictionary]));
    const bytes = inOwnMemory(parts);
    const request = {
      bytes,
      jobs: jobs.map(({ raw, effort, dictionary, share }) => ({
        rawBytes: raw.length,
        effort,
        dictionaryBytes: dictionary?.length,
        share,
      })),
    };
    const answer = await this.#requests.ask(request, [bytes.buffer]);
    if (answer === undefined) return compressHere(jobs);
    const stored = Buffer.from(answer.bytes.buffer);
    let at = 0;
    return answer.storedBytes.map((length) => (length === undefined ? undefined : stored.subarray(at, (at += length))));
  };

  close(): Promise<void> {
    return this.#requests.close();
  }
}
