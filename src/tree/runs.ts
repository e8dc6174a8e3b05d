/**
 * Sorted runs of lines outside memory, and merging them.
 *
 *   run   = frame*
 *   frame = u32 length of the line | u32 length of its key | line      big-endian
 *
 * Runs live only while a sort is at work; their form is nobody else's business.
 */
import { UttrError } from '../base/errors.ts';
import { compareRanges, type Lines } from './lines.ts';

/** Names a run in its store. */
export type RunHandle = string;

/** Where sorted runs are kept for the time of a sort. */
export interface RunStore {
  /** Keeps the parts in their order. A part is not changed after it was given. */
  write(parts: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<RunHandle>;
  /** The bytes of a run, cut anywhere. A part may be used until the reading ends. */
  read(handle: RunHandle): AsyncIterable<Buffer>;
  remove(handle: RunHandle): Promise<void>;
}

/** Bytes in one part given to a store, and about as many in a batch of sorted lines. */
const PART_BYTES = 256 * 1024;

/** What a line in a run takes beside its own bytes. */
export const RUN_LINE_BYTES = 8;

/** Lines in key order, one at a time; the fields describe the current one. */
export interface LineSource {
  readonly bytes: Buffer;
  readonly start: number;
  readonly keyEnd: number;
  readonly end: number;
  /** Goes to the next line if that takes no waiting. @returns false if it does, or at the end: ask `fill`. */
  next(): boolean;
  /** Waits for more and goes to the next line. @returns false at the end. */
  fill(): Promise<boolean>;
}

/** Reads a run line by line. */
export class RunReader implements LineSource {
  readonly #parts: AsyncIterator<Buffer>;
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  keyEnd = 0;
  end = 0;

  constructor(parts: AsyncIterable<Buffer>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  next(): boolean {
    const at = this.end;
    if (at + RUN_LINE_BYTES > this.bytes.length) return false;
    const length = this.bytes.readUInt32BE(at);
    if (at + RUN_LINE_BYTES + length > this.bytes.length) return false;
    this.start = at + RUN_LINE_BYTES;
    this.keyEnd = this.start + this.bytes.readUInt32BE(at + 4);
    this.end = this.start + length;
    return true;
  }

  async fill(): Promise<boolean> {
    while (!this.next()) {
      const rest = this.bytes.subarray(this.end);
      const { done, value } = await this.#parts.next();
      if (done === true) {
        if (rest.length > 0) throw new UttrError('io-failed', 'a sorted run is cut off');
        return false;
      }
      this.bytes = rest.length === 0 ? value : Buffer.concat([rest, value]);
      this.end = 0;
    }
    return true;
  }

  /** Stops reading early. */
  async close(): Promise<void> {
    await this.#parts.return?.();
  }
}

/** Cuts lines into the parts of a run. */
export async function* runParts(batches: AsyncIterable<Lines> | Iterable<Lines>): AsyncGenerator<Buffer> {
  for await (const lines of batches) {
    const part = Buffer.allocUnsafeSlow(lines.bytes.length + RUN_LINE_BYTES * lines.count);
    let at = 0;
    for (let index = 0; index < lines.count; index++) {
      const start = lines.starts[index] as number;
      const end = lines.starts[index + 1] as number;
      at = putRunLine(part, at, lines.bytes, start, lines.keyEnds[index] as number, end);
    }
    yield part;
  }
}

/** Writes one frame of a run. @returns where the next one goes */
export function putRunLine(run: Buffer, at: number, bytes: Buffer, start: number, keyEnd: number, end: number): number {
  run.writeUInt32BE(end - start, at);
  run.writeUInt32BE(keyEnd - start, at + 4);
  bytes.copy(run, at + RUN_LINE_BYTES, start, end);
  return at + RUN_LINE_BYTES + end - start;
}

/** Merges sources that are each in key order; equal keys come in the order of the sources. */
export async function* mergeLines(sources: readonly LineSource[]): AsyncGenerator<Lines> {
  const heap: number[] = [];
  for (const [index, source] of sources.entries()) {
    if (source.next() || (await source.fill())) {
      heap.push(index);
      siftUp(heap, sources);
    }
  }
  const batch = new BatchWriter();
  while (heap.length > 0) {
    const source = sources[heap[0] as number] as LineSource;
    batch.append(source.bytes, source.start, source.keyEnd, source.end);
    if (!source.next() && !(await source.fill())) {
      const last = heap.pop() as number;
      if (heap.length > 0) heap[0] = last;
    }
    siftDown(heap, sources);
    if (batch.isFull) yield batch.take();
  }
  if (!batch.isEmpty) yield batch.take();
}

function isBefore(a: number, b: number, sources: readonly LineSource[]): boolean {
  const x = sources[a] as LineSource;
  const y = sources[b] as LineSource;
  const order = compareRanges(x.bytes, x.start, x.keyEnd, y.bytes, y.start, y.keyEnd);
  return order < 0 || (order === 0 && a < b);
}

function siftUp(heap: number[], sources: readonly LineSource[]): void {
  let at = heap.length - 1;
  const moved = heap[at] as number;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if (!isBefore(moved, heap[parent] as number, sources)) break;
    heap[at] = heap[parent] as number;
    at = parent;
  }
  heap[at] = moved;
}

function siftDown(heap: number[], sources: readonly LineSource[]): void {
  const moved = heap[0];
  if (moved === undefined) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as number, heap[child] as number, sources)) child++;
    if (!isBefore(heap[child] as number, moved, sources)) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = moved;
}

/** Gathers lines into batches that share nothing with where the lines came from. */
export class BatchWriter {
  #bytes = Buffer.allocUnsafeSlow(PART_BYTES);
  #starts = new Uint32Array(4096);
  #keyEnds = new Uint32Array(4096);
  #count = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether another line of a usual size might not fit. */
  get isFull(): boolean {
    return this.#end >= PART_BYTES * 0.9 || this.#count + 2 >= this.#starts.length;
  }

  append(bytes: Buffer, start: number, keyEnd: number, end: number): void {
    const size = end - start;
    if (this.#end + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#end + size);
      this.#bytes.copy(larger, 0, 0, this.#end);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#starts[this.#count] = this.#end;
    this.#keyEnds[this.#count] = this.#end + keyEnd - start;
    this.#count++;
    this.#end += size;
  }

  take(): Lines {
    this.#starts[this.#count] = this.#end;
    const lines = {
      bytes: this.#bytes.subarray(0, this.#end),
      count: this.#count,
      starts: this.#starts.slice(0, this.#count + 1),
      keyEnds: this.#keyEnds.slice(0, this.#count),
    };
    this.#bytes = Buffer.allocUnsafeSlow(PART_BYTES);
    this.#count = 0;
    this.#end = 0;
    return lines;
  }
}
