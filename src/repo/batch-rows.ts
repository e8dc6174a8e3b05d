/**
 * Rows of a batch on their way through the sort: a line per row, ordered by key, equal keys in the order of the file.
 *
 *   line  = key TAB value LF
 *   value = kind US file US row US line US intent US json      (US = U+001F, which canonical JSON escapes)
 *   kind  = p | r | l | p side: a record on the side that its file has it on
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { encodeRecord } from '../records/encode-record.ts';
import { invisibleMarks } from '../records/invisible.ts';
import { recordKey } from '../records/key.ts';
import type { UtteranceRecord } from '../records/record.ts';
import type { Lines } from '../tree/lines.ts';
import type { RunSorter } from '../tree/sort.ts';
import type { IncomingGroup, IncomingRow, Place } from './group-state.ts';
import type { PlainRow } from './plain-lines.ts';
import type { StagedWriter } from './staged-file.ts';

const US = '\u001f';
const SEPARATOR = 0x1f;
const TAB = 9;
const PUT = 'p'.charCodeAt(0);
const KINDS = { p: 'put', r: 'remove', l: 'label' } as const;

/** Rows of which the first are kept to be shown. */
export interface ListedRows {
  count: number;
  readonly first: { readonly place: Place; readonly text: string }[];
}

/** Rows that are good, and worth a look. */
export interface NotedRows {
  /** Without a label. */
  readonly unlabelled: ListedRows;
  /** With characters that nobody sees. */
  readonly invisible: ListedRows;
}

const NOTES = ['unlabelled', 'invisible'] as const;

export interface RowMark {
  readonly runs: number;
  readonly noted: readonly { readonly count: number; readonly shown: number }[];
}

/** Rows of each kind that are kept. */
const KEPT_ROWS = 20;

/** Prints rows as lines for the sorter. */
export class RowLines {
  readonly noted: NotedRows = { unlabelled: { count: 0, first: [] }, invisible: { count: 0, first: [] } };
  readonly #sorter: RunSorter;
  readonly #identity: readonly string[];
  readonly #labels = new Map<string, string>();

  constructor(sorter: RunSorter, identity: readonly string[]) {
    this.#sorter = sorter;
    this.#identity = identity;
  }

  /** Labels seen, as canonical JSON. */
  get intents(): Iterable<string> {
    return this.#labels.values();
  }

  /** Writes what the memory does not hold any more to disk. */
  async spill(): Promise<void> {
    if (this.#sorter.needsDrain) await this.#sorter.drain();
  }

  /** A state to go back to. */
  async mark(): Promise<RowMark> {
    await this.#sorter.drain();
    return {
      runs: this.#sorter.runCount,
      noted: NOTES.map((name) => ({ count: this.noted[name].count, shown: this.noted[name].first.length })),
    };
  }

  /** Forgets everything handed over since the mark. */
  async rollback({ runs, noted }: RowMark): Promise<void> {
    await this.#sorter.dropRuns(runs);
    for (const [index, { count, shown }] of noted.entries()) {
      const rows = this.noted[NOTES[index] as keyof NotedRows];
      rows.count = count;
      rows.first.length = shown;
    }
  }

  /** Takes lines that another RowLines made and sorted, with the labels they hold. */
  async addRun(run: Buffer, intents: readonly string[], noted: NotedRows): Promise<void> {
    for (const intent of intents) this.#labels.set(intent, intent);
    for (const name of NOTES) {
      const [all, more] = [this.noted[name], noted[name]];
      all.count += more.count;
      all.first.push(...more.first.slice(0, KEPT_ROWS - all.first.length));
    }
    await this.#sorter.addRun(run);
  }

  /** @param side the one that the file has it on, where that is to be adopted */
  put(record: UtteranceRecord, place: Place, side = ''): void {
    if (record.intent === undefined) note(this.noted.unlabelled, record.text, place);
    if (invisibleMarks(record.text).length > 0) note(this.noted.invisible, record.text, place);
    this.#add(recordKey(record, this.#identity), `p${side}`, place, this.#label(record.intent), encodeRecord(record));
  }

  /** As `put` for a plain line; only where the dataset has no identity fields. */
  putPlain(row: PlainRow, place: Place): void {
    this.#labels.set(row.intent, row.intent);
    this.#add(recordKey(row, []), 'p', place, row.intent, row.json);
  }

  remove(key: string, place: Place): void {
    this.#add(key, 'r', place, '', '');
  }

  /** @param intent canonical JSON of the new label */
  label(key: string, intent: string, place: Place): void {
    this.#add(key, 'l', place, '', intent);
  }

  #label(intent: UtteranceRecord['intent']): string {
    if (intent === undefined) return '';
    const name = typeof intent === 'string' ? intent : intent.join(US);
    let json = this.#labels.get(name);
    if (json === undefined) {
      json = canonicalJson(intent);
      this.#labels.set(name, json);
    }
    return json;
  }

  #add(key: string, kind: string, place: Place, intent: string, json: string): void {
    const { file, row, line } = place;
    this.#sorter.addText(key, `\t${kind}${US}${file}${US}${row}${US}${line}${US}${intent}${US}${json}\n`);
  }
}

function note(rows: ListedRows, text: string, place: Place): void {
  rows.count++;
  if (rows.first.length < KEPT_ROWS) rows.first.push({ place, text });
}

/** A sorted row, in place. */
export interface SortedRow {
  readonly lines: Lines;
  readonly index: number;
}

/** Reads sorted lines back in groups of one folded text each; a batch of groups lives as long as its buffers. */
export async function* sortedGroups(sorted: AsyncIterable<Lines>): AsyncIterable<readonly (readonly SortedRow[])[]> {
  let open: SortedRow[] = [];
  let last: Buffer = Buffer.alloc(0);
  let lastStart = 0;
  let lastEnd = -1;
  for await (const lines of sorted) {
    const { bytes, starts, count } = lines;
    const groups: SortedRow[][] = [];
    for (let index = 0; index < count; index++) {
      const start = starts[index] as number;
      const end = foldEnd(lines, index);
      const same = end - start === lastEnd - lastStart && bytes.compare(last, lastStart, lastEnd, start, end) === 0;
      if (!same && open.length > 0) {
        groups.push(open);
        open = [];
      }
      open.push({ lines, index });
      last = bytes;
      lastStart = start;
      lastEnd = end;
    }
    if (groups.length > 0) yield groups;
  }
  if (open.length > 0) yield [open];
}

/** As `sortedGroups`, with the rows taken apart. */
export async function* incomingGroups(sorted: AsyncIterable<Lines>): AsyncIterable<readonly IncomingGroup[]> {
  for await (const groups of sortedGroups(sorted)) yield groups.map(incomingGroup);
}

export function incomingGroup(rows: readonly SortedRow[]): IncomingGroup {
  const parsed = rows.map(parseRow);
  const { key } = parsed[0] as IncomingRow;
  return { fold: key.slice(0, key.indexOf('\t')), rows: parsed };
}

/** Where the group's column of a sorted row's key ends. */
export function foldEnd(lines: Lines, index: number): number {
  let at = lines.starts[index] as number;
  while (lines.bytes[at] !== TAB) at++;
  return at;
}

/** Whether two sorted rows are of one group. */
export function isSameFold(a: Lines, indexA: number, b: Lines, indexB: number): boolean {
  const [startA, startB] = [a.starts[indexA] as number, b.starts[indexB] as number];
  const length = foldEnd(a, indexA) - startA;
  // Neighbours mostly differ in the byte that would end the shorter one.
  if (b.bytes[startB + length] !== TAB) return false;
  return a.bytes.compare(b.bytes, startB, startB + length, startA, startA + length) === 0;
}

/** Copies a row that puts a record into a staged file, as a new record of a new group. @returns false for other rows */
export function copyNew(lines: Lines, index: number, writer: StagedWriter): boolean {
  const { bytes } = lines;
  const keyEnd = lines.keyEnds[index] as number;
  if (bytes[keyEnd + 1] !== PUT || bytes[keyEnd + 2] !== SEPARATOR) return false;
  // Past kind, file, row and line.
  let at = keyEnd + 3;
  for (let field = 0; field < 3; field++) at = pastSeparator(bytes, at);
  const json = pastSeparator(bytes, at);
  const end = (lines.starts[index + 1] as number) - 1;
  writer.added(bytes, lines.starts[index] as number, keyEnd, at, json - 1, json, end);
  return true;
}

function pastSeparator(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] !== SEPARATOR) at++;
  return at + 1;
}

function parseRow({ lines, index }: SortedRow): IncomingRow {
  const { bytes } = lines;
  const keyEnd = lines.keyEnds[index] as number;
  const key = bytes.toString('utf8', lines.starts[index], keyEnd);
  const kind = KINDS[String.fromCharCode(bytes[keyEnd + 1] as number) as keyof typeof KINDS];
  const value = bytes.toString('utf8', keyEnd + 2, (lines.starts[index + 1] as number) - 1);
  let at = 0;
  const field = (): string => {
    const end = value.indexOf(US, at);
    const text = value.slice(at, end);
    at = end + 1;
    return text;
  };
  const side = field();
  const place = { file: Number(field()), row: Number(field()), line: Number(field()) };
  const intent = field();
  return { key, kind, json: value.slice(at), intent, side: side === '' ? undefined : side, place };
}
