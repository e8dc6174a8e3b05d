/**
 * JSON: a list of records, or an object whose values are such lists (as CLINC150: `{"train": [[text, intent], …]}`).
 *
 * A record is an object or a pair [text, intent], as in JSON Lines. Read as a stream: one element at a time.
 */
import { isUttrError, throwIfAborted } from '../base/errors.ts';
import { isSplitWord } from './fields.ts';
import type { ByteInput, Format, ReadBatch, Reading, ReadOptions } from './format.ts';
import { JsonElements, type JsonElement } from './json-elements.ts';
import { JsonRecords } from './json-records.ts';
import { BatchBuilder, reading, ReportBuilder } from './read-report.ts';
import { parseStrictJson } from './strict-json.ts';
import { headText, TextInput } from './text-input.ts';

const EXTENSIONS = ['.json'];

export const jsonFormat: Format = {
  name: 'json',
  title: 'a JSON list of records',
  extensions: EXTENSIONS,
  sniff,
  read,
};

function sniff(head: Uint8Array, name: string): number {
  const text = headText(head)?.trimStart();
  if (text === undefined) return 0;
  const byName = EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.4 : 0;
  // A list of objects or lists; an object whose first key holds one. The first line alone would be JSON Lines.
  if (/^\[\s*[[{]/u.test(text) || /^\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[\s*[[{]/u.test(text)) return 0.7;
  return /^\[\s*\]\s*$/u.test(text) ? 0.6 : byName;
}

function read(input: ByteInput, options: ReadOptions = {}): Reading {
  const report = new ReportBuilder('json', input.name);
  return reading(report, readBatches(input, options, report));
}

async function* readBatches(input: ByteInput, options: ReadOptions, report: ReportBuilder): AsyncGenerator<ReadBatch> {
  const text = new TextInput(input, options);
  const elements = new JsonElements(report.file);
  const reader = new ElementReader(text, report, options);
  for await (const piece of text.pieces()) {
    report.encoding = text.encoding;
    for (const element of elements.push(piece, false)) reader.take(element);
    if (reader.batch.size > 0) yield reader.batch.take();
    throwIfAborted(options.signal);
  }
  for (const element of elements.push('', true)) reader.take(element);
  reader.finish();
  if (reader.batch.size > 0) yield reader.batch.take();
}

/** Makes records of elements. */
class ElementReader {
  readonly batch: BatchBuilder;
  readonly #text: TextInput;
  readonly #records: JsonRecords;
  #row = 0;
  /** The key seen last, and the part of the set that it stands for. */
  #key: string | undefined;
  #part: string | undefined;

  constructor(text: TextInput, report: ReportBuilder, options: ReadOptions) {
    this.#text = text;
    this.batch = new BatchBuilder(report);
    this.#records = new JsonRecords(this.batch, options);
  }

  take(element: JsonElement): void {
    this.#row++;
    if (element.key !== this.#key) this.#enter(element.key);
    const source = { row: this.#row, line: element.line, raw: element.text, pointer: pointerTo(element) };
    const invalid = this.#text.takeInvalid(element.start, element.start + element.text.length);
    if (invalid !== undefined) {
      this.batch.reject(source, undefined, invalid);
      return;
    }
    let value: unknown;
    try {
      value = parseStrictJson(element.text);
    } catch (error) {
      if (!isUttrError(error, 'bad-row')) throw error;
      this.batch.reject(source, undefined, error.message);
      return;
    }
    this.#records.add(value, source, this.#part);
  }

  finish(): void {
    this.#records.finish();
  }

  #enter(key: string | undefined): void {
    this.#key = key;
    const isPart = key !== undefined && key.split(/[^\p{L}\p{N}]+/u).some(isSplitWord);
    this.#part = isPart ? key : undefined;
    if (key !== undefined && !isPart) {
      this.batch.report.note('ignored', 'keys that hold the lists are no part of the records, and name no split');
    }
  }
}

/** @see RFC 6901 */
function pointerTo(element: JsonElement): string {
  if (element.key === undefined) return `/${element.index}`;
  return `/${element.key.replaceAll('~', '~0').replaceAll('/', '~1')}/${element.index}`;
}
