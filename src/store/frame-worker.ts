/** A worker that compresses frames: one buffer with their bytes in, one buffer with the stored bytes out. */
import { parentPort } from 'node:worker_threads';
import { inOwnMemory } from '../base/own-memory.ts';
import type { Numbered } from '../base/worker-requests.ts';
import type { Effort } from './frame.ts';
import { type FrameJob, runFrameJob } from './frame-job.ts';

/** Raw bytes, then the dictionary, of each job end to end. */
export interface CompressRequest extends Numbered {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly jobs: readonly {
    readonly rawBytes: number;
    readonly effort: Effort;
    /** undefined: a frame that stands alone. */
    readonly dictionaryBytes: number | undefined;
    readonly share: number | undefined;
  }[];
}

export interface CompressAnswer extends Numbered {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each job; undefined for a delta that is not worth it. */
  readonly storedBytes: readonly (number | undefined)[];
}

async function answer({ id, bytes, jobs }: CompressRequest): Promise<CompressAnswer> {
  const all = Buffer.from(bytes.buffer);
  const parts: Buffer[] = [];
  const storedBytes: (number | undefined)[] = [];
  let at = 0;
  const take = (length: number): Buffer => all.subarray(at, (at += length));
  for (const { rawBytes, effort, dictionaryBytes, share } of jobs) {
    const raw = take(rawBytes);
    const delta = dictionaryBytes === undefined ? {} : { dictionary: take(dictionaryBytes) };
    const job: FrameJob = { raw, effort, ...delta, ...(share === undefined ? {} : { share }) };
    const stored = await runFrameJob(job);
    if (stored !== undefined) parts.push(stored);
    storedBytes.push(stored?.length);
  }
  return { id, bytes: inOwnMemory(parts), storedBytes };
}

parentPort?.on('message', (request: CompressRequest) => {
  void answer(request).then((result) => {
    parentPort?.postMessage(result, [result.bytes.buffer]);
  });
});
