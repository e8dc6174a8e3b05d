/**
 * JSON Lines: one object, or one pair [text, intent], on each line.
 *
 * Blank lines are passed over; a mark at the start and CRLF are fine. Written lines are canonical JSON.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { targetOf } from './fields.ts';
import {
  ROW_LIMIT,
  type ByteInput,
  type Format,
  type ReadBatch,
  type Reading,
  type ReadOptions,
  type RecordSource,
  type WriteOptions,
  type Writing,
} from './format.ts';
import { JsonRecords } from './json-records.ts';
import { LineSplitter, type LineSink } from './lines.ts';
import { BatchBuilder, reading, ReportBuilder } from './read-report.ts';
import { parseStrictJson, stringEnd } from './strict-json.ts';
import { headText, TextInput } from './text-input.ts';
import { writing } from './write-report.ts';

const EXTENSIONS = ['.jsonl', '.ndjson'];

/** Records written in one go. */
const WRITE_BYTES = 256 * 1024;

export const jsonlFormat: Format = {
  name: 'jsonl',
  title: 'JSON Lines',
  extensions: EXTENSIONS,
  sniff,
  read,
  write,
};

function sniff(head: Uint8Array, name: string): number {
  const byName = EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
  const lines = headText(head)?.split('\n') ?? [];
  const [first, second] = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (first === undefined || !/^[{[]/u.test(first)) return byName;
  try {
    return Math.max(byName, lineConfidence(JSON.parse(first), second?.startsWith('{') === true));
  } catch {
    return byName;
  }
}

/** How much one whole line of JSON looks like a record. */
function lineConfidence(value: unknown, isFollowed: boolean): number {
  if (Array.isArray(value)) return value.length === 2 && value.every((item) => typeof item === 'string') ? 0.9 : 0;
  if (typeof value !== 'object' || value === null) return 0;
  if (Object.keys(value).some((key) => targetOf(key)?.field === 'text')) return 0.95;
  // An object of lists is a whole document on one line; so may be an object that stands alone.
  if (Object.values(value).every(Array.isArray)) return 0;
  return isFollowed ? 0.6 : 0.3;
}

function read(input: ByteInput, options: ReadOptions = {}): Reading {
  const report = new ReportBuilder('jsonl', input.name);
  return reading(report, readBatches(input, options, report));
}

async function* readBatches(input: ByteInput, options: ReadOptions, report: ReportBuilder): AsyncGenerator<ReadBatch> {
  const text = new TextInput(input, options);
  const reader = new LineReader(text, report, options);
  const splitter = new LineSplitter(reader);
  for await (const piece of text.pieces()) {
    report.encoding = text.encoding;
    splitter.push(piece);
    if (reader.batch.size > 0) yield reader.batch.take();
    throwIfAborted(options.signal);
  }
  splitter.end();
  reader.finish();
  if (reader.batch.size > 0) yield reader.batch.take();
}

/** Makes records of lines. */
class LineReader implements LineSink {
  readonly batch: BatchBuilder;
  readonly #text: TextInput;
  readonly #records: JsonRecords;
  #row = 0;

  constructor(text: TextInput, report: ReportBuilder, options: ReadOptions) {
    this.#text = text;
    this.batch = new BatchBuilder(report);
    this.#records = new JsonRecords(this.batch, options);
  }

  line(text: string, lineNumber: number, start: number): void {
    if (isBlank(text)) return;
    this.#row++;
    const source = { row: this.#row, line: lineNumber, raw: text };
    const invalid = this.#text.takeInvalid(start, start + text.length);
    if (invalid !== undefined) {
      this.batch.reject(trimmedSource(source), undefined, invalid);
      return;
    }
    let value: unknown;
    try {
      value = parseStrictJson(text);
    } catch (error) {
      if (!isUttrError(error, 'bad-row')) throw error;
      if (this.#row === 1) this.#refuseDocument(text, lineNumber);
      this.batch.reject(trimmedSource(source), undefined, error.message);
      return;
    }
    this.#records.add(value, source);
  }

  tooLong(length: number, lineNumber: number, start: number): void {
    this.#row++;
    this.#text.takeInvalid(start, start + length);
    const source = { row: this.#row, line: lineNumber, raw: undefined };
    this.batch.reject(source, undefined, `the line has ${length} characters; the limit is ${ROW_LIMIT}`);
  }

  finish(): void {
    const { file } = this.batch.report;
    if (this.#row === 0) throw new UttrError('bad-format', `${file} is empty`, { details: { file } });
    this.#records.finish();
  }

  /** A first line that opens brackets and leaves them open begins a document spread over several lines. */
  #refuseDocument(text: string, lineNumber: number): void {
    const start = text.trim();
    if (!/^[{[]/u.test(start) || openBrackets(start) === 0) return;
    const { file } = this.batch.report;
    const what = start.startsWith('[') ? 'a JSON list' : 'a JSON object';
    throw new UttrError('bad-format', `${file} holds ${what} spread over several lines, not one object on each line`, {
      hint: 'read it with --format json, or print it one object a line (jq -c)',
      details: { file, line: lineNumber },
    });
  }
}

function trimmedSource<T extends { readonly raw: string }>(source: T): T {
  return source.raw.endsWith('\r') ? { ...source, raw: source.raw.slice(0, -1) } : source;
}

function isBlank(line: string): boolean {
  const code = line.charCodeAt(0);
  // Only a line that starts with a blank or control character, or is empty (NaN), can be blank.
  return !(code > 0x20) && line.trim() === '';
}

function openBrackets(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') index = stringEnd(text, index) - 1;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
  }
  return depth;
}

function write(source: RecordSource, options: WriteOptions = {}): Writing {
  return writing(async function* (report) {
    let lines = '';
    for await (const records of source()) {
      throwIfAborted(options.signal);
      for (const record of records) lines += recordLine(record);
      report.records += records.length;
      if (lines.length < WRITE_BYTES) continue;
      yield Buffer.from(lines);
      lines = '';
    }
    if (lines !== '') yield Buffer.from(lines);
  });
}

function recordLine(record: UtteranceRecord): string {
  return `${canonicalJson(record as unknown as JsonValue)}\n`;
}
