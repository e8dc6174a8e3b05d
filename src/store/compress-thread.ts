/**
 * Compresses frames, on a thread of its own where that is started: the tree goes on while its chunks are compressed.
 * The bytes are the same either way, and a thread that cannot start or ends early leaves its work to this one.
 */
import { Worker } from 'node:worker_threads';
import type { CompressAnswer, CompressRequest } from './compress-worker.ts';
import { type Compress, compressHere, type FrameJob } from './frame-job.ts';

export class CompressThread {
  readonly #worker: Worker;
  readonly #answers = new Map<number, (answer: CompressAnswer | undefined) => void>();
  #next = 0;
  #hasEnded = false;

  constructor() {
    const here = import.meta.url;
    // Sources run as they are in development, compiled in the package.
    this.#worker = new Worker(new URL(here.endsWith('.ts') ? './compress-worker.ts' : './compress-worker.js', here));
    // Whatever happens to it, a command that has its results does not wait for it.
    this.#worker.unref();
    this.#worker.on('message', (answer: CompressAnswer) => {
      this.#settle(answer.id, answer);
    });
    const end = (): void => {
      this.#hasEnded = true;
      for (const id of this.#answers.keys()) this.#settle(id, undefined);
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', end);
  }

  readonly compress: Compress = async (jobs) => {
    if (jobs.length === 0) return [];
    const answer = this.#hasEnded ? undefined : await this.#ask(jobs);
    if (answer === undefined) return compressHere(jobs);
    const bytes = Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.byteLength);
    let at = 0;
    return answer.storedBytes.map((length) => (length === undefined ? undefined : bytes.subarray(at, (at += length))));
  };

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(jobs: readonly FrameJob[]): Promise<CompressAnswer | undefined> {
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<CompressAnswer | undefined>();
    this.#answers.set(id, resolve);
    const parts = jobs.flatMap(({ raw, dictionary }) => (dictionary === undefined ? [raw] : [raw, dictionary]));
    // Memory of its own, which moves to the worker.
    const bytes = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) at += part.copy(bytes, at);
    const request: CompressRequest = {
      id,
      bytes,
      jobs: jobs.map(({ raw, effort, dictionary, share }) => ({
        rawBytes: raw.length,
        effort,
        dictionaryBytes: dictionary?.length,
        share,
      })),
    };
    this.#worker.ref();
    this.#worker.postMessage(request, [bytes.buffer]);
    return promise;
  }

  #settle(id: number, answer: CompressAnswer | undefined): void {
    this.#answers.get(id)?.(answer);
    this.#answers.delete(id);
    if (this.#answers.size === 0) this.#worker.unref();
  }
}
