/** A worker that compresses and opens frames: one buffer with all bytes in, the results in memory of their own out. */
import { parentPort } from 'node:worker_threads';
import type { Numbered } from '../base/worker-requests.ts';
import type { Effort } from './frame.ts';
import { type ExpectedChunk, runFrameJob, runOpenJob } from './frame-job.ts';

/** Job by job: the raw or the stored bytes, then those of the dictionary. */
export interface FrameRequest extends Numbered {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly jobs: readonly (CompressPlan | OpenPlan)[];
}

interface JobPlan {
  /** Of the frame as it comes. */
  readonly bytes: number;
  /** undefined: a frame that stands alone. */
  readonly dictionaryBytes: number | undefined;
}

export interface CompressPlan extends JobPlan {
  readonly effort: Effort;
  readonly share: number | undefined;
}

export interface OpenPlan extends JobPlan {
  readonly rawBytes: number;
  readonly chunks: readonly ExpectedChunk[];
  /** Whether only the verdict is asked for: then no bytes are the answer. */
  readonly isCheck: boolean;
}

export interface FrameAnswer extends Numbered {
  /** Of each job; undefined for one without a result. */
  readonly results: readonly (Uint8Array<ArrayBuffer> | undefined)[];
}

function answer({ id, bytes, jobs }: FrameRequest): FrameAnswer {
  const all = Buffer.from(bytes.buffer);
  const results: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  let at = 0;
  const take = (length: number): Buffer => all.subarray(at, (at += length));
  for (const plan of jobs) {
    const frame = take(plan.bytes);
    const dictionary = plan.dictionaryBytes === undefined ? undefined : take(plan.dictionaryBytes);
    const result =
      'effort' in plan
        ? runFrameJob({ raw: frame, dictionary, ...plan })
        : runOpenJob({ stored: frame, dictionary, ...plan });
    if (result === undefined) results.push(undefined);
    else results.push('effort' in plan || !plan.isCheck ? alone(result) : new Uint8Array());
  }
  return { id, results };
}

/** In memory that nothing else lies in, so that it can move to another thread. */
function alone(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

parentPort?.on('message', (request: FrameRequest) => {
  const result = answer(request);
  const memory = result.results.flatMap((bytes) => (bytes === undefined ? [] : [bytes.buffer]));
  parentPort?.postMessage(result, memory);
});
