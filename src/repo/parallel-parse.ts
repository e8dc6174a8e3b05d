/**
 * Reads a large, clean JSON Lines file with several threads.
 *
 * The file is cut at line ends into stretches; each is parsed and sorted by a worker and comes back as a sorted
 * run, in the order of the file. The result is the same as that of reading in one piece; where a stretch has
 * anything to say, nothing is kept and the caller reads the file in one piece.
 */
import { availableParallelism } from 'node:os';
import { throwIfAborted } from '../base/errors.ts';
import { WorkerRequests } from '../base/worker-requests.ts';
import { type ReadOptions, type ReadReport, ROW_LIMIT } from '../formats/format.ts';
import type { RowLines, RowMark } from './batch-rows.ts';
import type { BatchInput } from './input.ts';
import type { ParseAnswer, ParsedStretch, ParseRequest } from './parse-worker.ts';
import type { Repository } from './repository.ts';

/** Bytes of a stretch. */
const STRETCH_BYTES = 4 << 20;
/** Room for the last piece that was read into a stretch. */
const ROOM_BYTES = 1 << 20;
const WORKER_LIMIT = 4;
/** No row has more bytes: a UTF-16 code unit takes at most three in UTF-8. */
const LINE_LIMIT_BYTES = 3 * ROW_LIMIT;
/** Short-lived objects of a worker: enough for a piece of text, so that its memory stays small. */
const YOUNG_MEGABYTES = 32;
/** Stretches in hand per worker: one at work, one waiting. */
const AHEAD = 2;

const LF = 10;
const UTF8_MARK = 0xef;

export interface ParallelJob {
  readonly input: BatchInput;
  /** Number of the file in the batch. */
  readonly file: number;
  readonly identity: readonly string[];
  readonly read: ReadOptions;
  readonly rows: RowLines;
}

/** Reads the input; undefined, having kept nothing, when the file must be read in one piece. */
export async function parseInParallel(repository: Repository, job: ParallelJob): Promise<ReadReport | undefined> {
  const head = await job.input.head();
  // A byte order mark is a reader's business.
  if (head[0] === UTF8_MARK || head[0] === 0xff || head[0] === 0xfe) return undefined;
  const mark = await job.rows.mark();
  const pool = new ParsePool(Math.min(WORKER_LIMIT, availableParallelism()));
  const report = new MergedReport(job.input.name);
  try {
    const waiting: Promise<ParsedStretch | undefined>[] = [];
    const take = async (): Promise<boolean> => {
      const stretch = await waiting.shift();
      if (stretch === undefined) return false;
      await job.rows.addRun(
        Buffer.from(stretch.run.buffer, stretch.run.byteOffset, stretch.run.byteLength),
        stretch.intents,
        stretch.noted,
      );
      report.add(stretch);
      repository.progress.update('reading', report.rows, undefined, 'rows');
      return true;
    };
    for await (const stretch of stretches(job.input)) {
      throwIfAborted(repository.signal);
      if (stretch === undefined) return await giveUp(job, mark);
      const { bytes, linesBefore } = stretch;
      const { file, identity, read } = job;
      waiting.push(pool.parse({ bytes, linesBefore, file, identity, map: read.map }));
      if (waiting.length >= pool.size * AHEAD && !(await take())) return await giveUp(job, mark);
    }
    while (waiting.length > 0) if (!(await take())) return await giveUp(job, mark);
    return report;
  } finally {
    await pool.close();
  }
}

async function giveUp(job: ParallelJob, mark: RowMark): Promise<undefined> {
  await job.rows.rollback(mark);
  return undefined;
}

/**
 * Cuts the input at line ends; each stretch has memory of its own, to be handed to a worker. Ends with undefined at
 * a line that is too long for a row: the reader passes over such a line without holding it.
 */
async function* stretches(
  input: BatchInput,
): AsyncIterable<{ readonly bytes: Uint8Array; readonly linesBefore: number } | undefined> {
  let gathered = Buffer.allocUnsafeSlow(STRETCH_BYTES + ROOM_BYTES);
  let length = 0;
  let linesBefore = 0;
  for await (const chunk of input.chunks()) {
    if (length + chunk.length > gathered.length) {
      const larger = Buffer.allocUnsafeSlow((length + chunk.length) * 2);
      gathered.copy(larger, 0, 0, length);
      gathered = larger;
    }
    gathered.set(chunk, length);
    length += chunk.length;
    if (length < STRETCH_BYTES) continue;
    const cut = gathered.subarray(0, length).lastIndexOf(LF) + 1;
    if (cut === 0) {
      if (length < LINE_LIMIT_BYTES) continue;
      yield undefined;
      return;
    }
    const next = Buffer.allocUnsafeSlow(STRETCH_BYTES + ROOM_BYTES);
    gathered.copy(next, 0, cut, length);
    const bytes = gathered.subarray(0, cut);
    const lines = countLines(bytes);
    yield { bytes, linesBefore };
    linesBefore += lines;
    gathered = next;
    length -= cut;
  }
  if (length > 0) yield { bytes: gathered.subarray(0, length), linesBefore };
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}

class MergedReport implements ReadReport {
  readonly format = 'jsonl';
  readonly file: string;
  readonly encoding = 'utf-8';
  readonly delimiter = undefined;
  readonly header = undefined;
  readonly split = undefined;
  readonly rejected = 0;
  readonly notes = [];
  readonly columns = new Map<string, string>();
  rows = 0;

  constructor(file: string) {
    this.file = file;
  }

  get accepted(): number {
    return this.rows;
  }

  add(stretch: ParsedStretch): void {
    this.rows += stretch.rows;
    for (const [column, field] of stretch.columns) this.columns.set(column, field);
  }
}

type ParseRequests = WorkerRequests<ParseRequest, ParseAnswer>;

/** Workers that take requests in turn; what one does not answer is left to the reading in one piece. */
class ParsePool {
  readonly #workers: readonly ParseRequests[];
  #next = 0;

  constructor(size: number) {
    const limits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES };
    this.#workers = Array.from({ length: size }, () => new WorkerRequests(import.meta.url, 'parse-worker', limits));
  }

  get size(): number {
    return this.#workers.length;
  }

  async parse(request: Omit<ParseRequest, 'id'>): Promise<ParsedStretch | undefined> {
    const worker = this.#workers[this.#next++ % this.#workers.length] as ParseRequests;
    const answer = await worker.ask(request, [request.bytes.buffer as ArrayBuffer]);
    return answer?.stretch;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}
