/**
 * The staged file: what the next commit will change, sorted by key, one line a record.
 *
 *   line = home TAB intent TAB before TAB key TAB after LF
 *
 * `home` is the side the record's group is on ("-" none yet, "->test" none yet, but a file has it there, "~side" retired
 * from it; "test>train": a merge moves it), `intent` the canonical JSON of the new label (empty: none), `before` the
 * record as the parent version has it (empty: new), `after` the record as it will be ("=" as it is, empty: removed). The
 * key has two columns, three where the dataset has identity fields. The end of a line for a new record is its line in a
 * leaf, byte for byte.
 *
 * G1  A group that is touched at all is here with every record it has in the parent version, so a commit
 *     knows a group's side and stratum, before and after, without reading the tree again.
 * G2  Every byte is covered by the CRC-32 that the catalogue keeps; it is compared before the lines are used.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { UttrError } from '../base/errors.ts';
import { DurableFile, fileError } from '../store/durable-file.ts';
import { FileFiller } from '../store/file-filler.ts';

const TAB = 9;
const LF = 10;
const EQUALS = 0x3d;
const DASH = 0x2d;

const READ_BYTES = 1 << 20;
/** Room for the begin of a line in front of a piece; a longer one is copied. */
const HEADROOM_BYTES = 1 << 14;

/** A line may hold a record of 1 MiB twice and a key. */
const LINE_LIMIT_BYTES = 4 << 20;

/** The group has no side yet. */
export const NO_HOME = '-';

/** Between a home and the side that a merge, or a file, has decided on: `test>train`. No side's name holds it. */
export const FORCED = '>';

/** One line, in place: positions into a buffer that lives as long as the batch it came in. */
export class StagedLine {
  readonly buffer: Buffer;
  /** Start of the key; the line in a leaf would be `[start, end]` for a new record. */
  readonly start: number;
  readonly foldEnd: number;
  readonly keyEnd: number;
  /** Position of the LF. */
  readonly end: number;
  /** Canonical JSON of the new label; empty when there is none. */
  readonly intent: string;
  readonly #lineStart: number;
  readonly #homeEnd: number;
  readonly #intentEnd: number;

  /** @param end position of the LF. @param labels keeps one string for each label */
  constructor(buffer: Buffer, start: number, end: number, keyColumns: number, labels: LabelTable) {
    this.buffer = buffer;
    this.end = end;
    this.#lineStart = start;
    this.#homeEnd = nextTab(buffer, start, end);
    this.#intentEnd = nextTab(buffer, this.#homeEnd + 1, end);
    this.start = nextTab(buffer, this.#intentEnd + 1, end) + 1;
    this.foldEnd = nextTab(buffer, this.start, end);
    let keyEnd = nextTab(buffer, this.foldEnd + 1, end);
    for (let column = 2; column < keyColumns; column++) keyEnd = nextTab(buffer, keyEnd + 1, end);
    this.keyEnd = keyEnd;
    this.intent = labels.read(buffer, this.#homeEnd + 1, this.#intentEnd);
    if (keyEnd >= end) throw new UttrError('bad-checksum', 'a staged line is damaged', { hint: 'run: uttr reset' });
  }

  get key(): Buffer {
    return this.buffer.subarray(this.start, this.keyEnd);
  }

  /** The group's column of the key. */
  get fold(): Buffer {
    return this.buffer.subarray(this.start, this.foldEnd);
  }

  get home(): string {
    if (this.hasNoHome) return NO_HOME;
    return this.buffer.toString('latin1', this.#lineStart, this.#homeEnd);
  }

  get hasNoHome(): boolean {
    return this.#homeEnd - this.#lineStart === 1 && this.buffer[this.#lineStart] === DASH;
  }

  /** Whether the record is only here because its group is touched. */
  get isUnchanged(): boolean {
    return this.end - this.keyEnd === 2 && this.buffer[this.keyEnd + 1] === EQUALS;
  }

  /** The record as it will be; undefined when it is removed. */
  get after(): Buffer | undefined {
    if (this.isUnchanged) return this.before;
    return slice(this.buffer, this.keyEnd + 1, this.end);
  }

  /** The record as the parent version has it. */
  get before(): Buffer | undefined {
    return slice(this.buffer, this.#intentEnd + 1, this.start - 1);
  }

  /** Whether the record is new: nothing before, something after. The common case of a first import. */
  get isAdded(): boolean {
    return this.start - this.#intentEnd === 2 && this.end - this.keyEnd > 2;
  }

  isSameGroup(other: StagedLine): boolean {
    const length = this.foldEnd - this.start;
    return (
      length === other.foldEnd - other.start &&
      this.buffer.compare(other.buffer, other.start, other.foldEnd, this.start, this.foldEnd) === 0
    );
  }
}

/** Gives the same string for the same label's bytes: files hold few labels and many lines. */
class LabelTable {
  readonly #known = new Map<number, { readonly bytes: Buffer; readonly text: string }>();

  read(buffer: Buffer, start: number, end: number): string {
    if (start === end) return '';
    let hash = 0;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (buffer[at] as number)) | 0;
    const known = this.#known.get(hash);
    if (known !== undefined && isEqual(known.bytes, buffer, start, end)) return known.text;
    const text = buffer.toString('utf8', start, end);
    this.#known.set(hash, { bytes: Buffer.from(text), text });
    return text;
  }
}

/** For a few bytes a loop is faster than the way to native code. */
function isEqual(bytes: Buffer, other: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== other[start + at]) return false;
  return true;
}

function slice(buffer: Buffer, start: number, end: number): Buffer | undefined {
  return start === end ? undefined : buffer.subarray(start, end);
}

/** Position of the next TAB, or `end`; records hold none (canonical JSON escapes it). */
function nextTab(buffer: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && buffer[at] !== TAB) at++;
  return at < end ? at : end;
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
  return `${home}\t${intent}\t${before ?? ''}\t${key}\t${next}\n`;
}

/** Writes a staged file piecewise; nothing is visible under its name before `publish`. */
export class StagedWriter {
  readonly #file: DurableFile;
  readonly #filler: FileFiller;
  lines = 0;
  /** CRC-32 of all that was passed on. */
  checksum = 0;

  private constructor(file: DurableFile) {
    this.#file = file;
    this.#filler = new FileFiller(file);
  }

  static async open(path: string): Promise<StagedWriter> {
    return new StagedWriter(await DurableFile.open(path));
  }

  /** Whether `drain` should be awaited before much more is written. */
  get needsDrain(): boolean {
    return this.#filler.isFull;
  }

  write(line: string): void {
    const out = this.#filler;
    out.reserve(line.length * 3);
    out.length += out.buffer.write(line, out.length);
    this.lines++;
  }

  /** A line for a new record of a new group, made of stretches `[start, end)` of another line. */
  added(
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    intentStart: number,
    intentEnd: number,
    recordStart: number,
    recordEnd: number,
  ): void {
    this.#filler.reserve(keyEnd - keyStart + intentEnd - intentStart + recordEnd - recordStart + 6);
    const out = this.#filler.buffer;
    let at = this.#filler.length;
    out[at++] = DASH;
    out[at++] = TAB;
    at += bytes.copy(out, at, intentStart, intentEnd);
    out[at++] = TAB;
    out[at++] = TAB;
    at += bytes.copy(out, at, keyStart, keyEnd);
    out[at++] = TAB;
    at += bytes.copy(out, at, recordStart, recordEnd);
    out[at++] = LF;
    this.#filler.length = at;
    this.lines++;
  }

  /** Passes on what a full buffer has. */
  async drain(): Promise<void> {
    if (!this.needsDrain) return;
    this.#addToChecksum();
    await this.#filler.pass();
  }

  async publish(): Promise<void> {
    this.#addToChecksum();
    await this.#filler.finish();
    await this.#file.publish();
  }

  #addToChecksum(): void {
    const { buffer, length } = this.#filler;
    this.checksum = crc32(buffer.subarray(0, length), this.checksum);
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }
}

/** A piece of a file, with room in front of it. */
interface Piece {
  readonly buffer: Buffer;
  readonly bytesRead: number;
}

/** A file of one piece, with the groups that were read from it. */
interface SmallFile {
  readonly path: string;
  readonly piece: Piece;
  readonly groups: Map<number, readonly (readonly StagedLine[])[]>;
}

/** The file that was checked last, if it is one piece: a commit goes over it several times. */
let recent: SmallFile | undefined;

/** Reads a file piece by piece, each while the one before is worked on; memory of a piece is never used again. */
async function* readPieces(path: string, isCheck = false): AsyncGenerator<Piece> {
  if (!isCheck && recent?.path === path) {
    yield recent.piece;
    return;
  }
  let only: Piece | undefined;
  let pieces = 0;
  let handle: FileHandle | undefined;
  let next: Promise<Piece> | undefined;
  try {
    const file = await open(path, 'r');
    handle = file;
    const read = async (): Promise<Piece> => {
      const buffer = Buffer.allocUnsafe(HEADROOM_BYTES + READ_BYTES);
      const { bytesRead } = await file.read(buffer, HEADROOM_BYTES, READ_BYTES, null);
      return { buffer, bytesRead };
    };
    next = read();
    for (;;) {
      const piece = await next;
      if (piece.bytesRead === 0) break;
      next = read();
      only = pieces++ === 0 ? piece : undefined;
      yield piece;
    }
    if (isCheck) recent = only === undefined ? undefined : { path, piece: only, groups: new Map() };
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    // A reader that stops early leaves a read under way.
    await next?.catch(() => undefined);
    await handle?.close();
  }
}

/** CRC-32 of a staged file. */
export async function checksumOf(path: string): Promise<number> {
  let checksum = 0;
  for await (const { buffer, bytesRead } of readPieces(path, true)) {
    checksum = crc32(buffer.subarray(HEADROOM_BYTES, HEADROOM_BYTES + bytesRead), checksum);
  }
  return checksum;
}

/**
 * Reads a staged file in batches of whole lines.
 *
 * @param parse is given the bytes of a batch.
 * @throws bad-checksum when the file ends in the middle of a line
 */
async function* readBatches<Batch>(path: string, parse: (bytes: Buffer) => Batch): AsyncIterable<Batch> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of readPieces(path)) {
    const filled = behind(rest, piece);
    const end = filled.lastIndexOf(LF) + 1;
    if (end > 0) yield parse(filled.subarray(0, end));
    rest = filled.subarray(end);
    if (rest.length > LINE_LIMIT_BYTES) throw damaged(path);
  }
  if (rest.length > 0) throw damaged(path);
}

/** The piece with what is left of the one before in front of it. */
function behind(rest: Buffer, { buffer, bytesRead }: Piece): Buffer {
  const end = HEADROOM_BYTES + bytesRead;
  if (rest.length > HEADROOM_BYTES) return Buffer.concat([rest, buffer.subarray(HEADROOM_BYTES, end)]);
  const start = HEADROOM_BYTES - rest.length;
  rest.copy(buffer, start);
  return buffer.subarray(start, end);
}

function stagedLines(bytes: Buffer, keyColumns: number, labels: LabelTable): StagedLine[] {
  const lines: StagedLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LF, start);
    lines.push(new StagedLine(bytes, start, end, keyColumns, labels));
    start = end + 1;
  }
  return lines;
}

/** Lines that all add a record to a group without a side, in place: without an object for each. */
export interface AddedLines {
  readonly buffer: Buffer;
  readonly count: number;
  /** Start of each key; the line in a leaf is `[starts[i], ends[i]]`. */
  readonly starts: Uint32Array;
  readonly foldEnds: Uint32Array;
  readonly keyEnds: Uint32Array;
  /** Position of each LF. */
  readonly ends: Uint32Array;
  /** Canonical JSON of each label; empty where there is none. */
  readonly intents: readonly string[];
}

/** About how long a line is; where lines are shorter, the tables grow. */
const USUAL_LINE_BYTES = 160;

/** Reads a staged file as lines that only add; `undefined` in the place of a batch that has any other. */
export function readAddedLines(path: string, identity: readonly string[]): AsyncIterable<AddedLines | undefined> {
  const labels = new LabelTable();
  const keyColumns = keyColumnsOf(identity);
  return readBatches(path, (bytes) => addedLines(bytes, keyColumns, labels));
}

function addedLines(buffer: Buffer, keyColumns: number, labels: LabelTable): AddedLines | undefined {
  let capacity = Math.ceil(buffer.length / USUAL_LINE_BYTES);
  let starts = new Uint32Array(capacity);
  let foldEnds = new Uint32Array(capacity);
  let keyEnds = new Uint32Array(capacity);
  let ends = new Uint32Array(capacity);
  const intents: string[] = [];
  let count = 0;
  for (let at = 0; at < buffer.length; count++) {
    const end = buffer.indexOf(LF, at);
    const intentEnd = nextTab(buffer, at + 2, end);
    const start = intentEnd + 2;
    const foldEnd = nextTab(buffer, start, end);
    let keyEnd = nextTab(buffer, foldEnd + 1, end);
    for (let column = 2; column < keyColumns; column++) keyEnd = nextTab(buffer, keyEnd + 1, end);
    const hasNoHome = buffer[at] === DASH && buffer[at + 1] === TAB;
    const isAdded = buffer[intentEnd + 1] === TAB && end - keyEnd > 2;
    if (!hasNoHome || !isAdded) return undefined;
    if (count === capacity) {
      [starts, foldEnds, keyEnds, ends] = [doubled(starts), doubled(foldEnds), doubled(keyEnds), doubled(ends)];
      capacity = starts.length;
    }
    starts[count] = start;
    foldEnds[count] = foldEnd;
    keyEnds[count] = keyEnd;
    ends[count] = end;
    intents.push(labels.read(buffer, at + 2, intentEnd));
    at = end + 1;
  }
  return { buffer, count, starts, foldEnds, keyEnds, ends, intents };
}

function doubled(table: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(table.buffer.transfer(2 * table.byteLength));
}

function keyColumnsOf(identity: readonly string[]): number {
  return identity.length === 0 ? 2 : 3;
}

function damaged(path: string): UttrError {
  return new UttrError('bad-checksum', `the staged file ${path} is cut short`, {
    hint: 'run: uttr reset, then add the files again',
  });
}

/** Reads a staged file group by group: all lines of one folded text together, batches of whole groups. */
export async function* readStagedGroups(
  path: string,
  identity: readonly string[],
): AsyncIterable<readonly (readonly StagedLine[])[]> {
  const keyColumns = keyColumnsOf(identity);
  const labels = new LabelTable();
  const small = recent?.path === path ? recent : undefined;
  const known = small?.groups.get(keyColumns);
  if (known !== undefined) {
    yield known;
    return;
  }
  const all: (readonly StagedLine[])[] = [];
  let open: StagedLine[] = [];
  for await (const lines of readBatches(path, (bytes) => stagedLines(bytes, keyColumns, labels))) {
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
    if (small !== undefined) all.push(...groups);
    else if (groups.length > 0) yield groups;
  }
  if (open.length > 0) all.push(open);
  small?.groups.set(keyColumns, all);
  if (all.length > 0) yield all;
}
