/**
 * Tables of separated values, strictly (RFC 4180), row by row, with places.
 *
 * A cell is quoted as a whole or not at all; quotes within are doubled; LF, CRLF or CR ends a row. What breaks
 * these rules is a fault of its row, never a guess: a stray quote must not swallow rows, and a lone CR in a file
 * whose rows end otherwise must neither merge nor cut rows unnoticed, so both rows that it touches are faulty.
 * A quote that is never closed makes everything after it ambiguous: that is an error of the file.
 */
import { UttrError } from '../base/errors.ts';
import { CELL_LIMIT, COLUMN_LIMIT, ROW_LIMIT } from './format.ts';

/** One row; `cells` are not to be used where there is a fault. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Physical line on which the row starts, from 1. */
  readonly line: number;
  /** Character offsets in the file, without the line end. */
  readonly start: number;
  readonly end: number;
  readonly raw: string | undefined;
  readonly fault: string | undefined;
}

interface CsvParserOptions {
  readonly file: string;
  readonly delimiter: string;
  /** A quote inside an unquoted cell is a character like any other (usual in tab-separated files). */
  readonly looseQuotes: boolean;
}

type LineEnd = '\n' | '\r\n' | '\r';

/** Where a row's text ends and the next one starts; a row that is not complete yet has none. */
interface RowEnd {
  readonly end: number;
  readonly next: number;
  readonly lineEnd: LineEnd | undefined;
}

/** A row of which some cells are parsed; `position` is where its next cell starts. */
interface RowDraft {
  readonly start: number;
  readonly cells: string[];
  /** Line ends inside its cells. */
  lineCount: number;
  position: number;
}

/** What comes after a cell: another one, the row's end, text that is not there yet, or what may not be there. */
type CellOutcome = 'more' | 'end' | 'wait' | { readonly fault: string };

/** Finds the next place of a character, remembering it while it lies ahead. */
class Next {
  readonly #character: string;
  #index = -1;

  constructor(character: string) {
    this.#character = character;
  }

  /** Index of the character at or after `from`, Infinity if there is none. */
  at(text: string, from: number): number {
    if (this.#index < from) {
      const found = text.indexOf(this.#character, from);
      this.#index = found < 0 ? Infinity : found;
    }
    return this.#index;
  }

  forget(): void {
    this.#index = -1;
  }
}

export class CsvParser {
  readonly #options: CsvParserOptions;
  readonly #lf = new Next('\n');
  readonly #cr = new Next('\r');
  readonly #quote = new Next('"');
  readonly #delimiter: Next;
  /** Text that is not parsed yet; starts at a row's start, or within a row that is being skipped. */
  #text = '';
  /** Characters and lines of the file before `#text`. */
  #offset = 0;
  #line = 1;
  /** Do not look again before there is twice as much: parsing a long row in small pieces must not be quadratic. */
  #waitFor = 0;
  #skipped: { line: number; start: number } | undefined;
  #fileLineEnd: LineEnd | undefined;
  #followsStrayEnd = false;
  #mixed = false;

  constructor(options: CsvParserOptions) {
    this.#options = options;
    this.#delimiter = new Next(options.delimiter);
  }

  /** Whether both LF and CRLF end rows; harmless, but worth a note. */
  get hasMixedLineEnds(): boolean {
    return this.#mixed;
  }

  /** Parses the rows that are complete. `final` says that nothing follows. @throws bad-format */
  push(piece: string, final: boolean): CsvRow[] {
    this.#text += piece;
    if (!final && this.#text.length < this.#waitFor) return [];
    for (const next of [this.#lf, this.#cr, this.#quote, this.#delimiter]) next.forget();
    const rows: CsvRow[] = [];
    let position = this.#skipped === undefined ? 0 : this.#finishSkipped(rows, final);
    while (position < this.#text.length) {
      const after = this.#parseRow(rows, position, final);
      if (after < 0) break;
      position = after;
    }
    this.#keep(position);
    return rows;
  }

  #keep(position: number): void {
    this.#offset += position;
    this.#text = this.#text.slice(position);
    if (this.#text.length > ROW_LIMIT) this.#skip();
    this.#waitFor = this.#skipped === undefined ? this.#text.length * 2 : 0;
  }

  /** Drops a row that is too long, up to its end. */
  #skip(): void {
    this.#skipped ??= { line: this.#line, start: this.#offset };
    this.#offset += this.#text.length;
    this.#text = '';
  }

  #finishSkipped(rows: CsvRow[], final: boolean): number {
    const skipped = this.#skipped as { line: number; start: number };
    const rowEnd = this.#unquotedEnd(0, final);
    if (rowEnd === undefined) {
      this.#skip();
      return 0;
    }
    this.#skipped = undefined;
    const fault = `the row has more than ${ROW_LIMIT} characters`;
    const end = this.#offset + rowEnd.end;
    rows.push({ cells: [], line: skipped.line, start: skipped.start, end, raw: undefined, fault });
    this.#line++;
    return rowEnd.next;
  }

  /** Parses one row and returns where the next one starts, -1 while the row is not complete. */
  #parseRow(rows: CsvRow[], start: number, final: boolean): number {
    const rowEnd = this.#unquotedEnd(start, final);
    const quote = this.#quote.at(this.#text, start);
    if (quote < (rowEnd?.end ?? Infinity) && quote !== Infinity) return this.#parseQuoted(rows, start, final);
    if (rowEnd === undefined) return -1;
    const raw = this.#text.slice(start, rowEnd.end);
    if (raw === '') this.#line++;
    else this.#finish(rows, raw.split(this.#options.delimiter, COLUMN_LIMIT + 1), start, rowEnd, this.#line, undefined);
    return rowEnd.next;
  }

  /** The first line end at or after `from`; the end of the text where nothing follows. */
  #unquotedEnd(from: number, final: boolean): RowEnd | undefined {
    const text = this.#text;
    const lf = this.#lf.at(text, from);
    const cr = this.#cr.at(text, from);
    if (cr < lf) {
      // Whether an LF follows is not known yet.
      if (cr + 1 === text.length && !final) return undefined;
      return lf === cr + 1 ? { end: cr, next: cr + 2, lineEnd: '\r\n' } : { end: cr, next: cr + 1, lineEnd: '\r' };
    }
    if (lf !== Infinity) return { end: lf, next: lf + 1, lineEnd: '\n' };
    return final ? { end: text.length, next: text.length, lineEnd: undefined } : undefined;
  }

  /** A row with a quote somewhere: cell by cell. */
  #parseQuoted(rows: CsvRow[], start: number, final: boolean): number {
    const row: RowDraft = { start, cells: [], lineCount: 0, position: start };
    for (;;) {
      const isQuoted = this.#text.charCodeAt(row.position) === 0x22;
      const outcome = isQuoted ? this.#quotedCell(row, final) : this.#bareCell(row, final);
      if (outcome === 'more') continue;
      if (outcome === 'wait') return -1;
      if (outcome !== 'end') return this.#spoil(rows, row, final, outcome.fault);
      const line = this.#line;
      this.#line += row.lineCount;
      return this.#finish(rows, row.cells, start, this.#unquotedEnd(row.position, final) as RowEnd, line, undefined);
    }
  }

  #bareCell(row: RowDraft, final: boolean): CellOutcome {
    const delimiter = this.#delimiter.at(this.#text, row.position);
    const end = Math.min(delimiter, this.#unquotedEnd(row.position, final)?.end ?? Infinity);
    if (end === Infinity) return 'wait';
    const hasQuote = this.#quote.at(this.#text, row.position) < end;
    this.#pushCell(row, this.#text.slice(row.position, end));
    row.position = end === delimiter ? end + 1 : end;
    if (hasQuote && !this.#options.looseQuotes) {
      return { fault: `a quote inside cell ${row.cells.length}, which does not start with one` };
    }
    return end === delimiter ? 'more' : 'end';
  }

  #quotedCell(row: RowDraft, final: boolean): CellOutcome {
    const text = this.#text;
    const close = this.#closingQuote(row, final);
    if (close < 0) return 'wait';
    const cell = text.slice(row.position + 1, close);
    this.#pushCell(row, cell.includes('"') ? cell.replaceAll('""', '"') : cell);
    row.lineCount += countLineEnds(cell);
    row.position = close + 1;
    if (text[row.position] === this.#options.delimiter) {
      row.position++;
      return 'more';
    }
    const rowEnd = this.#unquotedEnd(row.position, final);
    if (rowEnd?.end === row.position) return 'end';
    if (rowEnd === undefined && text[row.position] === '\r') return 'wait';
    return { fault: `text after the closing quote of cell ${row.cells.length}` };
  }

  #pushCell(row: RowDraft, cell: string): void {
    // One cell over the limit is enough to see that the row has too many.
    if (row.cells.length <= COLUMN_LIMIT) row.cells.push(cell);
  }

  /** The quote that closes the one at the row's position; -1 while that cannot be told. @throws bad-format */
  #closingQuote(row: RowDraft, final: boolean): number {
    const text = this.#text;
    const line = this.#line + row.lineCount;
    let close = this.#quote.at(text, row.position + 1);
    while (close !== Infinity) {
      if (close - row.start > ROW_LIMIT) throw this.#unclosed(line, `${ROW_LIMIT} characters later`);
      if (close + 1 === text.length && !final) return -1;
      if (text.charCodeAt(close + 1) !== 0x22) return close;
      close = this.#quote.at(text, close + 2);
    }
    if (final) throw this.#unclosed(line, 'at the end of the file');
    if (text.length - row.start > ROW_LIMIT) throw this.#unclosed(line, `${ROW_LIMIT} characters later`);
    return -1;
  }

  #unclosed(line: number, where: string): UttrError {
    const { file } = this.#options;
    return new UttrError('bad-format', `${file}:${line}: the quote that opens a cell is still not closed ${where}`, {
      hint: 'close the quote on that line, or double it where it is part of the text',
      details: { file, line },
    });
  }

  /** Ends a row that breaks the rules: at the next line end, quoted or not. */
  #spoil(rows: CsvRow[], row: RowDraft, final: boolean, fault: string): number {
    const rowEnd = this.#unquotedEnd(row.position, final);
    if (rowEnd === undefined) return -1;
    const line = this.#line;
    this.#line += countLineEnds(this.#text.slice(row.start, rowEnd.end));
    return this.#finish(rows, [], row.start, rowEnd, line, fault);
  }

  #finish(
    rows: CsvRow[],
    cells: readonly string[],
    start: number,
    rowEnd: RowEnd,
    line: number,
    fault: string | undefined,
  ): number {
    const raw = this.#text.slice(start, rowEnd.end);
    const foundFault = fault ?? this.#strayEnd(rowEnd.lineEnd) ?? faultOf(cells, raw);
    this.#followsStrayEnd = this.#isStray(rowEnd.lineEnd);
    const [from, end] = [this.#offset + start, this.#offset + rowEnd.end];
    rows.push({ cells, line, start: from, end, raw, fault: foundFault });
    this.#line++;
    return rowEnd.next;
  }

  #strayEnd(lineEnd: LineEnd | undefined): string | undefined {
    if (this.#isStray(lineEnd)) return strayMessage(lineEnd as LineEnd, 'ends');
    return this.#followsStrayEnd ? strayMessage(this.#fileLineEnd === '\r' ? '\n' : '\r', 'follows') : undefined;
  }

  /** LF and CRLF may be mixed: both hold an LF. A lone CR among them, or an LF among lone CRs, is a fault. */
  #isStray(lineEnd: LineEnd | undefined): boolean {
    if (lineEnd === undefined) return false;
    this.#fileLineEnd ??= lineEnd;
    if (lineEnd !== this.#fileLineEnd) this.#mixed = true;
    return (lineEnd === '\r') !== (this.#fileLineEnd === '\r');
  }
}

function strayMessage(lineEnd: LineEnd, verb: 'ends' | 'follows'): string {
  const name = lineEnd === '\r' ? 'a lone carriage return' : 'a line feed';
  return verb === 'ends'
    ? `${name} ends the row, unlike other rows`
    : `the row starts after ${name}, unlike other rows`;
}

function faultOf(cells: readonly string[], raw: string): string | undefined {
  if (raw.length > ROW_LIMIT) return `the row has more than ${ROW_LIMIT} characters`;
  if (cells.length > COLUMN_LIMIT) return `the row has more than ${COLUMN_LIMIT} cells`;
  if (raw.includes('\0')) return 'a NUL character';
  if (raw.length <= CELL_LIMIT) return undefined;
  const index = cells.findIndex((cell) => cell.length > CELL_LIMIT);
  return index < 0 ? undefined : `column ${index + 1} has more than ${CELL_LIMIT} characters`;
}

function countLineEnds(text: string): number {
  if (!text.includes('\n') && !text.includes('\r')) return 0;
  return text.match(/\r\n|[\r\n]/gu)?.length ?? 0;
}
