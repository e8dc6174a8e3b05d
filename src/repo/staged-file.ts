/**
 * The staged file: what the next commit will change, sorted by key, one line a record.
 *
 *   line = key TAB home TAB intent TAB after TAB before LF
 *
 * `home` is the side the record's group is on ("-" none yet, "~side" retired from it), `intent` the canonical
 * JSON of the new label (empty: none), `after` the record as it will be ("=" as it is, empty: removed), `before`
 * the record as the parent version has it (empty: new). The key has two or three columns, so lines are taken
 * apart from the right.
 *
 * G1  A group that is touched at all is here with every record it has in the parent version, so a commit
 *     knows a group's side and stratum, before and after, without reading the tree again.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { UttrError } from '../base/errors.ts';
import { DurableFile, fileError } from '../store/durable-file.ts';

const TAB = 9;
const LF = 10;
const EQUALS = 0x3d;

const READ_BYTES = 1 << 20;
const WRITE_BYTES = 1 << 20;

/** A line may hold a record of 1 MiB twice and a key. */
const LINE_LIMIT_BYTES = 4 << 20;

/** The group has no side yet. */
export const NO_HOME = '-';

/** Between a home and the side that a merge has decided on: `test>train`. No side's name holds it. */
export const FORCED = '>';

/** One line, in place: positions into a buffer that lives as long as the batch it came in. */
export class StagedLine {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly foldEnd: number;
  readonly keyEnd: number;
  readonly #homeEnd: number;
  readonly #intentEnd: number;
  readonly #afterEnd: number;

  /** @param end position of the LF */
  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.#afterEnd = tabBefore(buffer, end, start);
    this.#intentEnd = tabBefore(buffer, this.#afterEnd, start);
    this.#homeEnd = tabBefore(buffer, this.#intentEnd, start);
    this.keyEnd = tabBefore(buffer, this.#homeEnd, start);
    const fold = buffer.indexOf(TAB, start);
    this.foldEnd = fold < this.keyEnd ? fold : this.keyEnd;
    if (this.keyEnd <= start)
      throw new UttrError('bad-checksum', 'a staged line is damaged', { hint: 'run: uttr reset' });
  }

  get key(): Buffer {
    return this.buffer.subarray(this.start, this.keyEnd);
  }

  /** The group's column of the key. */
  get fold(): Buffer {
    return this.buffer.subarray(this.start, this.foldEnd);
  }

  get home(): string {
    return this.buffer.toString('latin1', this.keyEnd + 1, this.#homeEnd);
  }

  /** Canonical JSON of the new label; empty when there is none. */
  get intent(): string {
    return this.buffer.toString('utf8', this.#homeEnd + 1, this.#intentEnd);
  }

  /** Whether the record is only here because its group is touched. */
  get isUnchanged(): boolean {
    return this.#afterEnd - this.#intentEnd === 2 && this.buffer[this.#intentEnd + 1] === EQUALS;
  }

  /** The record as it will be; undefined when it is removed. */
  get after(): Buffer | undefined {
    if (this.isUnchanged) return this.before;
    return slice(this.buffer, this.#intentEnd + 1, this.#afterEnd);
  }

  /** The record as the parent version has it. */
  get before(): Buffer | undefined {
    return slice(this.buffer, this.#afterEnd + 1, this.end);
  }

  /** Whether the record is new: nothing before, something after. The common case of a first import. */
  get isAdded(): boolean {
    return this.#afterEnd + 1 === this.end && this.#afterEnd > this.#intentEnd + 1;
  }

  /** The record's bytes where `isAdded`: `[start, end)` in the buffer. */
  get addedRange(): readonly [number, number] {
    return [this.#intentEnd + 1, this.#afterEnd];
  }

  isSameGroup(other: StagedLine): boolean {
    const length = this.foldEnd - this.start;
    return (
      length === other.foldEnd - other.start &&
      this.buffer.compare(other.buffer, other.start, other.foldEnd, this.start, this.foldEnd) === 0
    );
  }
}

function slice(buffer: Buffer, start: number, end: number): Buffer | undefined {
  return start === end ? undefined : buffer.subarray(start, end);
}

/** Position of the last TAB before `end`; records hold none (canonical JSON escapes it). */
function tabBefore(buffer: Buffer, end: number, start: number): number {
  let at = end - 1;
  while (at > start && buffer[at] !== TAB) at--;
  return at;
}

/** Prints one line; `before` and `after` are canonical JSON, undefined for none, 'same' for unchanged. */
export function formatStagedLine(
  key: string,
  home: string,
  intent: string,
  after: string | undefined,
  before: string | undefined,
): string {
  const next = after === undefined ? '' : after === before ? '=' : after;
  return `${key}\t${home}\t${intent}\t${next}\t${before ?? ''}\n`;
}

/** Writes a staged file piecewise; nothing is visible under its name before `publish`. */
export class StagedWriter {
  readonly #file: DurableFile;
  #buffer = Buffer.allocUnsafe(WRITE_BYTES);
  #length = 0;
  lines = 0;

  private constructor(file: DurableFile) {
    this.#file = file;
  }

  static async open(path: string): Promise<StagedWriter> {
    return new StagedWriter(await DurableFile.open(path));
  }

  /** Whether `flush` should be awaited before much more is written. */
  get needsFlush(): boolean {
    return this.#length >= WRITE_BYTES / 2;
  }

  write(line: string): void {
    this.#reserve(line.length * 3);
    this.#length += this.#buffer.write(line, this.#length);
    this.lines++;
  }

  /** Writes bytes as they are; they end with LF. */
  copy(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    this.#length += source.copy(this.#buffer, this.#length, start, end);
    this.lines++;
  }

  /** A line for a record that is new, made of pieces of an input buffer. */
  added(source: Buffer, key: readonly [number, number], intent: string, record: readonly [number, number]): void {
    this.#reserve(key[1] - key[0] + intent.length * 3 + record[1] - record[0] + 8);
    let at = this.#length;
    at += source.copy(this.#buffer, at, key[0], key[1]);
    at += this.#buffer.write(`\t${NO_HOME}\t`, at);
    at += this.#buffer.write(intent, at);
    this.#buffer[at++] = TAB;
    at += source.copy(this.#buffer, at, record[0], record[1]);
    this.#buffer[at++] = TAB;
    this.#buffer[at++] = LF;
    this.#length = at;
    this.lines++;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return;
    await this.#file.append(this.#buffer.subarray(0, this.#length));
    // The file keeps what it was given until it is written: go on in a buffer of its own.
    this.#buffer = Buffer.allocUnsafe(WRITE_BYTES);
    this.#length = 0;
  }

  async publish(): Promise<void> {
    await this.flush();
    await this.#file.publish();
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }
}

/**
 * Reads a staged file in batches of whole lines.
 *
 * @throws bad-checksum when the file ends in the middle of a line
 */
export async function* readStaged(path: string): AsyncIterable<readonly StagedLine[]> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const buffer = Buffer.allocUnsafe(rest.length + READ_BYTES);
      rest.copy(buffer);
      const { bytesRead } = await handle.read(buffer, rest.length, READ_BYTES, null);
      if (bytesRead === 0) break;
      const filled = buffer.subarray(0, rest.length + bytesRead);
      const lines: StagedLine[] = [];
      const used = takeLines(filled, lines);
      if (lines.length > 0) yield lines;
      rest = filled.subarray(used);
      if (rest.length > LINE_LIMIT_BYTES) throw damaged(path);
    }
    if (rest.length > 0) throw damaged(path);
  } finally {
    await handle.close();
  }
}

function takeLines(bytes: Buffer, lines: StagedLine[]): number {
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    lines.push(new StagedLine(bytes, start, end));
    start = end + 1;
  }
  return start;
}

function damaged(path: string): UttrError {
  return new UttrError('bad-checksum', `the staged file ${path} is cut short`, {
    hint: 'run: uttr reset, then add the files again',
  });
}

/** Reads a staged file group by group: all lines of one folded text together, batches of whole groups. */
export async function* readStagedGroups(path: string): AsyncIterable<readonly (readonly StagedLine[])[]> {
  let open: StagedLine[] = [];
  for await (const lines of readStaged(path)) {
    const groups: StagedLine[][] = [];
    for (const line of lines) {
      const first = open[0];
      if (first === undefined || first.isSameGroup(line)) {
        open.push(line);
      } else {
        groups.push(open);
        open = [line];
      }
    }
    if (groups.length > 0) yield groups;
  }
  if (open.length > 0) yield [open];
}
