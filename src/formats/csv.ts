/**
 * Tables of separated values: CSV (the delimiter is found out) and TSV (tabs). See csv-parser.ts for the rules.
 *
 * Both read and write cells in quotes; in TSV a quote inside an unquoted cell is a character like any other.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { SEPARATOR_LINE, sniffDialect } from './csv-dialect.ts';
import { CsvParser, type CsvRow } from './csv-parser.ts';
import { unescapeFormula, writeTable } from './csv-writer.ts';
import { COLUMN_LIMIT, type ByteInput, type Format, type ReadBatch, type Reading, type ReadOptions } from './format.ts';
import { BatchBuilder, reading, ReportBuilder, type RowSource } from './read-report.ts';
import { TableRecords } from './table-records.ts';
import { headText, TextInput } from './text-input.ts';

/** Text that is enough to find the delimiter in. */
const DIALECT_CHARACTERS = 64 * 1024;

export const csvFormat: Format = {
  name: 'csv',
  title: 'comma-separated values',
  extensions: ['.csv'],
  sniff: (head, name) => sniff(head, name, ['.csv'], (delimiter) => delimiter !== '\t'),
  read: (input, options = {}) => readTable('csv', input, options),
  write: (source, options = {}) => writeTable(source, ',', options),
};

export const tsvFormat: Format = {
  name: 'tsv',
  title: 'tab-separated values',
  extensions: ['.tsv', '.tab'],
  sniff: (head, name) => sniff(head, name, ['.tsv', '.tab'], (delimiter) => delimiter === '\t'),
  read: (input, options = {}) => readTable('tsv', input, { ...options, delimiter: options.delimiter ?? '\t' }),
  write: (source, options = {}) => writeTable(source, '\t', options),
};

function sniff(
  head: Uint8Array,
  name: string,
  extensions: readonly string[],
  isOurs: (delimiter: string) => boolean,
): number {
  const text = headText(head);
  if (text === undefined) return 0;
  const byName = extensions.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
  const dialect = sniffDialect(text.slice(0, DIALECT_CHARACTERS));
  if (dialect.columnCount < 2 || !isOurs(dialect.delimiter)) return byName;
  return Math.max(byName, dialect.hasText ? 0.8 : 0.2);
}

function readTable(format: string, input: ByteInput, options: ReadOptions): Reading {
  const { delimiter } = options;
  if (delimiter !== undefined && !/^[^"\r\n\0]$/u.test(delimiter)) {
    throw new UttrError('bad-option', `a delimiter is one character, not ${JSON.stringify(delimiter)}`, {
      hint: 'the usual ones are , ; | and a tab',
    });
  }
  const report = new ReportBuilder(format, input.name);
  return reading(report, readBatches(input, options, report));
}

async function* readBatches(input: ByteInput, options: ReadOptions, report: ReportBuilder): AsyncGenerator<ReadBatch> {
  const text = new TextInput(input, options);
  const reader = new RowReader(text, report, options);
  for await (const piece of text.pieces()) {
    report.encoding = text.encoding;
    reader.push(piece, false);
    if (reader.batch.size > 0) yield reader.batch.take();
    throwIfAborted(options.signal);
  }
  reader.push('', true);
  if (reader.batch.size > 0) yield reader.batch.take();
}

/** Makes records of rows; the first row is the header unless the columns were given. */
class RowReader {
  readonly batch: BatchBuilder;
  readonly #text: TextInput;
  readonly #options: ReadOptions;
  #head = '';
  #parser: CsvParser | undefined;
  #table: TableRecords | undefined;
  #row = 0;

  constructor(text: TextInput, report: ReportBuilder, options: ReadOptions) {
    this.#text = text;
    this.#options = options;
    this.batch = new BatchBuilder(report);
  }

  push(piece: string, final: boolean): void {
    this.#parser ??= this.#chooseDialect(piece, final);
    if (this.#parser === undefined) return;
    const text = this.#head === '' ? piece : this.#head;
    this.#head = '';
    for (const row of this.#parser.push(text, final)) this.#take(row);
    if (!final) return;
    if (this.#parser.hasMixedLineEnds) this.batch.report.note('mixed-line-ends', 'rows end in different ways');
    if (this.#table === undefined) {
      const { file } = this.batch.report;
      throw new UttrError('bad-format', `${file} is empty`, { details: { file } });
    }
  }

  /** Waits for enough text to find the delimiter. */
  #chooseDialect(piece: string, final: boolean): CsvParser | undefined {
    const { map, delimiter: given } = this.#options;
    const { report } = this.batch;
    this.#head += piece;
    if (given === undefined && !final && this.#head.length < DIALECT_CHARACTERS) return undefined;
    const delimiter =
      given ??
      separatorLine(this.#head) ??
      sniffDialect(this.#head.slice(0, DIALECT_CHARACTERS), Object.values(map ?? {})).delimiter;
    report.delimiter = delimiter;
    return new CsvParser({ file: report.file, delimiter, looseQuotes: delimiter === '\t' });
  }

  #take(row: CsvRow): void {
    if (this.#table === undefined) {
      if (this.#row === 0 && row.line === 1 && SEPARATOR_LINE.test(row.raw ?? '')) return;
      const isData = this.#options.columns !== undefined;
      this.#table = this.#openTable(this.#options.columns ?? this.#header(row));
      if (!isData) return;
    }
    const table = this.#table;
    const invalid = this.#text.takeInvalid(row.start, row.end);
    const fault = invalid ?? row.fault;
    if (fault === undefined && row.cells.every((cell) => cell === '')) {
      this.batch.report.note('blank-rows', 'rows without any value were passed over');
      return;
    }
    this.#row++;
    const source: RowSource = { row: this.#row, line: row.line, raw: row.raw };
    if (fault !== undefined) this.batch.reject(source, undefined, fault);
    else if (row.cells.length === table.columnCount) table.add(this.#unescaped(row.cells), source);
    else this.batch.reject(source, undefined, raggedMessage(row.cells.length, table.columnCount));
  }

  #unescaped(cells: readonly string[]): readonly string[] {
    return this.#options.unescapeFormulas === true ? cells.map(unescapeFormula) : cells;
  }

  #header(row: CsvRow): readonly string[] {
    const { file } = this.batch.report;
    const fault = this.#text.takeInvalid(row.start, row.end) ?? row.fault;
    if (fault === undefined) return this.#unescaped(row.cells);
    throw new UttrError('bad-format', `${file}:${row.line}: the header cannot be read: ${fault}`, {
      details: { file, line: row.line },
    });
  }

  #openTable(header: readonly string[]): TableRecords {
    const { file } = this.batch.report;
    if (header.length > COLUMN_LIMIT) {
      throw new UttrError('bad-format', `${file} has more than ${COLUMN_LIMIT} columns`, { details: { file } });
    }
    return new TableRecords(this.batch, header, this.#options);
  }
}

function separatorLine(head: string): string | undefined {
  const end = head.search(/[\r\n]/u);
  return SEPARATOR_LINE.exec(end < 0 ? head : head.slice(0, end))?.[1];
}

function raggedMessage(found: number, wanted: number): string {
  return `the row has ${found} ${found === 1 ? 'cell' : 'cells'}, the header has ${wanted}`;
}
