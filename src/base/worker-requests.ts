/**
 * Requests to a worker thread, each answered once. A worker that cannot start or ends early answers with `undefined`
 * whatever it was asked and will be asked: then the work is left to whoever asked.
 */
import { type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads';

/** Says which request an answer belongs to. */
export interface Numbered {
  readonly id: number;
}

export class WorkerRequests<Request extends Numbered, Answer extends Numbered> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #next = 0;
  #hasEnded = false;

  /**
   * @param here address of the module that asks.
   * @param name of the worker's module beside it, without its ending: sources run as they are in development,
   *   compiled in the package.
   */
  constructor(here: string, name: string, resourceLimits: ResourceLimits = {}) {
    const entry = new URL(`./${name}${here.endsWith('.ts') ? '.ts' : '.js'}`, here);
    this.#worker = new Worker(entry, { resourceLimits });
    // A command that has its answers does not wait for it.
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => {
      this.#settle(answer.id, answer);
    });
    const end = (): void => {
      this.#hasEnded = true;
      for (const id of this.#waiting.keys()) this.#settle(id, undefined);
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', end);
  }

  /** @param transfer memory that moves to the worker: nobody else may have a view of it. */
  ask(request: Omit<Request, 'id'>, transfer: readonly TransferListItem[]): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    if (this.#hasEnded) {
      resolve(undefined);
      return promise;
    }
    const id = this.#next++;
    this.#waiting.set(id, resolve);
    this.#worker.ref();
    this.#worker.postMessage({ ...request, id }, transfer);
    return promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(id: number, answer: Answer | undefined): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }
}
