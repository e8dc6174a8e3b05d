/**
 * External sort: any number of lines in bounded memory, for bulk imports.
 *
 * Lines gather in an arena; a full arena is sorted and becomes a run in a RunStore; in the end the runs are merged.
 * What fits into one arena never leaves memory.
 */
import { assert } from '../base/errors.ts';
import { SORT_LIMIT, sortLines } from './line-order.ts';
import { LF, TAB, type Lines } from './lines.ts';
import {
  BatchWriter,
  RunReader,
  mergeLines,
  putRunLine,
  RUN_LINE_BYTES,
  runParts,
  type LineSource,
  type RunHandle,
  type RunStore,
} from './runs.ts';

/** Bytes of lines held in memory. */
const DEFAULT_BUDGET = 64 * 1024 * 1024;

/** Bytes of runs made elsewhere that are held in memory. */
const HELD_BYTES = 64 * 1024 * 1024;

const FIRST_ARENA = 1024 * 1024;

/** Room kept free in a full arena, so that a few lines more do not make it grow. */
const ARENA_SLACK = 1024 * 1024;

/** Runs merged at once; more of them are merged in several rounds. */
const FAN_IN_LIMIT = 128;

export interface RunSorterOptions {
  /** Bytes of lines to hold in memory before a run is written. */
  readonly budgetBytes?: number | undefined;
}

/**
 * Sorts lines `key TAB value LF` by the bytes of their keys; lines with equal keys keep the order they were added in.
 *
 * Call `drain` whenever `needsDrain` says so: that is when runs are written. Call `close` in the end, whatever happens.
 */
export class RunSorter {
  readonly #store: RunStore;
  readonly #budget: number;
  readonly #runs: (RunHandle | Buffer)[] = [];
  #heldBytes = 0;
  #arena = Buffer.allocUnsafeSlow(FIRST_ARENA);
  #used = 0;
  #count = 0;
  #starts = new Uint32Array(8192);
  #keyEnds = new Uint32Array(8192);
  #ends = new Uint32Array(8192);

  constructor(store: RunStore, options: RunSorterOptions = {}) {
    this.#store = store;
    this.#budget = options.budgetBytes ?? DEFAULT_BUDGET;
  }

  /** Copies the line `bytes[start..end)`, whose key ends at the TAB at `keyEnd`. */
  add(bytes: Buffer, start: number, keyEnd: number, end: number): void {
    assert(bytes[keyEnd] === TAB && bytes[end - 1] === LF && keyEnd < end - 1, 'a line is key, TAB, value, LF');
    assert(this.#count < SORT_LIMIT, 'a sorter is drained when it needs it');
    const size = end - start;
    if (this.#used + size > this.#arena.length) this.#growArena(this.#used + size);
    if (this.#count === this.#starts.length) this.#growTables();
    bytes.copy(this.#arena, this.#used, start, end);
    this.#starts[this.#count] = this.#used;
    this.#keyEnds[this.#count] = this.#used + keyEnd - start;
    this.#used += size;
    this.#ends[this.#count] = this.#used;
    this.#count++;
  }

  /** As `add`, for a line in two strings: the key, and everything after it from the TAB to the LF. */
  addText(key: string, rest: string): void {
    assert(this.#count < SORT_LIMIT, 'a sorter is drained when it needs it');
    // No UTF-16 code unit takes more than three bytes.
    const most = this.#used + 3 * (key.length + rest.length);
    if (most > this.#arena.length) this.#growArena(most);
    if (this.#count === this.#starts.length) this.#growTables();
    const keyEnd = this.#used + this.#arena.write(key, this.#used);
    const end = keyEnd + this.#arena.write(rest, keyEnd);
    assert(this.#arena[keyEnd] === TAB && this.#arena[end - 1] === LF, 'a line is key, TAB, value, LF');
    this.#starts[this.#count] = this.#used;
    this.#keyEnds[this.#count] = keyEnd;
    this.#ends[this.#count] = end;
    this.#used = end;
    this.#count++;
  }

  /** The lines in the arena as one sorted run, for `addRun` of another sorter; the arena is empty then. */
  takeRun(): Buffer {
    const run = Buffer.allocUnsafeSlow(this.#used + RUN_LINE_BYTES * this.#count);
    const lines = { bytes: this.#arena, count: this.#count, starts: this.#starts, keyEnds: this.#keyEnds };
    let at = 0;
    for (const line of sortLines(lines)) {
      at = putRunLine(
        run,
        at,
        this.#arena,
        this.#starts[line] as number,
        this.#keyEnds[line] as number,
        this.#ends[line] as number,
      );
    }
    this.#used = 0;
    this.#count = 0;
    return run;
  }

  /** Whether the arena is full. */
  get needsDrain(): boolean {
    return this.#used >= this.#budget || this.#count === SORT_LIMIT;
  }

  /** Writes what is in memory as a run. */
  async drain(): Promise<void> {
    if (this.#count === 0) return;
    this.#runs.push(await this.#store.write(runParts(this.#sortedBatches())));
    this.#used = 0;
    this.#count = 0;
  }

  /** Runs so far, written or held; lines in the arena are not counted. */
  get runCount(): number {
    return this.#runs.length;
  }

  /**
   * Takes a run that was sorted elsewhere, in the form of `runParts`; its lines come after those added before. It is
   * held in memory while there is room, and must not be changed.
   */
  async addRun(run: Buffer): Promise<void> {
    await this.drain();
    if (this.#heldBytes + run.length <= HELD_BYTES) {
      this.#heldBytes += run.length;
      this.#runs.push(run);
    } else {
      this.#runs.push(await this.#store.write([run]));
    }
  }

  /** Forgets the runs from number `from` on. */
  async dropRuns(from: number): Promise<void> {
    this.#used = 0;
    this.#count = 0;
    for (const run of this.#runs.splice(from)) await this.#remove(run);
  }

  async #remove(run: RunHandle | Buffer): Promise<void> {
    if (typeof run === 'string') await this.#store.remove(run);
    else this.#heldBytes -= run.length;
  }

  #reader(run: RunHandle | Buffer): RunReader {
    return new RunReader(typeof run === 'string' ? this.#store.read(run) : inOnePart(run));
  }

  /** All lines in ascending order of their keys, in batches that the caller owns. The sorter takes no more lines. */
  async *finish(): AsyncGenerator<Lines> {
    if (this.#runs.length === 0) {
      yield* this.#sortedBatches();
      return;
    }
    while (this.#runs.length >= FAN_IN_LIMIT) await this.#mergeRound();
    const readers = this.#runs.map((run) => this.#reader(run));
    try {
      yield* mergeLines([...readers, new BatchSource(this.#sortedBatches())]);
    } finally {
      for (const reader of readers) await reader.close();
    }
  }

  /** Removes the runs and frees the memory. */
  async close(): Promise<void> {
    this.#arena = Buffer.alloc(0);
    this.#count = 0;
    await this.dropRuns(0);
  }

  /** Merges neighbouring runs, which keeps equal keys in their order. */
  async #mergeRound(): Promise<void> {
    for (let at = 0; at + 1 < this.#runs.length; at++) {
      const group = this.#runs.slice(at, at + FAN_IN_LIMIT);
      const readers = group.map((run) => this.#reader(run));
      const merged = await this.#store.write(runParts(mergeLines(readers)));
      this.#runs.splice(at, group.length, merged);
      for (const run of group) await this.#remove(run);
    }
  }

  *#sortedBatches(): Generator<Lines> {
    const lines = { bytes: this.#arena, count: this.#count, starts: this.#starts, keyEnds: this.#keyEnds };
    const batch = new BatchWriter();
    for (const line of sortLines(lines)) {
      const start = this.#starts[line] as number;
      batch.append(this.#arena, start, this.#keyEnds[line] as number, this.#ends[line] as number);
      if (batch.isFull) yield batch.take();
    }
    if (!batch.isEmpty) yield batch.take();
  }

  #growArena(needed: number): void {
    const doubled = Math.min(this.#arena.length * 2, this.#budget + ARENA_SLACK);
    const larger = Buffer.allocUnsafeSlow(Math.max(doubled, needed));
    this.#arena.copy(larger, 0, 0, this.#used);
    this.#arena = larger;
  }

  #growTables(): void {
    this.#starts = doubled(this.#starts);
    this.#keyEnds = doubled(this.#keyEnds);
    this.#ends = doubled(this.#ends);
  }
}

async function* inOnePart(run: Buffer): AsyncGenerator<Buffer> {
  yield run;
}

function doubled(table: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(table.length * 2);
  larger.set(table);
  return larger;
}

/** Lines that are in memory, as one of the sources of a merge. */
class BatchSource implements LineSource {
  readonly #batches: Iterator<Lines>;
  #lines: Lines | undefined;
  #index = -1;
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  keyEnd = 0;
  end = 0;

  constructor(batches: Iterator<Lines>) {
    this.#batches = batches;
  }

  next(): boolean {
    this.#index++;
    if (this.#lines === undefined || this.#index >= this.#lines.count) {
      const { done, value } = this.#batches.next();
      if (done === true) return false;
      this.#lines = value;
      this.#index = 0;
    }
    const lines = this.#lines;
    this.bytes = lines.bytes;
    this.start = lines.starts[this.#index] as number;
    this.keyEnd = lines.keyEnds[this.#index] as number;
    this.end = lines.starts[this.#index + 1] as number;
    return true;
  }

  fill(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
