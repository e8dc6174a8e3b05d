/**
 * What a file format is: bytes in, records and problems out; records in, bytes out.
 *
 * F1  Readers stream: memory is bounded by the limits below, whatever the size of the file.
 * F2  A row that cannot become a record is a RowProblem with its place; only a file that cannot be understood
 *     from some point on is an error (`bad-format`, `missing-column`).
 * F3  A reader's result does not depend on how the bytes were cut into pieces.
 * F4  What a writer writes, its reader reads back as the same records; what cannot be carried is in `losses`.
 * F5  A text is never changed silently: trimming its ends is counted, anything else is a problem.
 *
 * A new format is one file that exports a Format, and one line in registry.ts.
 */
import type { UtteranceRecord } from '../records/record.ts';
import type { LabelNames } from './class-labels.ts';

/** Limits of every reader of rows; lengths in UTF-16 code units of the decoded text. */
export const CELL_LIMIT = 1024 * 1024;
export const ROW_LIMIT = 8 * 1024 * 1024;
export const COLUMN_LIMIT = 2000;
/**
 * A problem repeats its row only where the row is at most this long: a part of a row cannot be mended. Far above the
 * limit of a text, so that a row is not lost for the very length it was refused for.
 */
export const RAW_LIMIT = 1024 * 1024;

/** Where a record came from. */
export interface RowPlace {
  readonly file: string;
  /** Record number, from 1; a header is not counted. */
  readonly row: number;
  /** Physical line on which the row starts, from 1. */
  readonly line: number;
  /** Where a line does not say enough: a JSON pointer, a cell, a path inside an archive. */
  readonly pointer?: string;
}

/** A row that did not become a record, and why. */
export interface RowProblem extends RowPlace {
  readonly column?: string;
  /** One of the error codes, nearly always `bad-row`. */
  readonly code: string;
  readonly message: string;
  /** The whole row as text, without its line end; absent where it is longer than RAW_LIMIT. */
  readonly raw?: string;
}

/** Some rows of a file, as parallel arrays: record `i` came from row `rows[i]`, which starts on line `lines[i]`. */
export interface ReadBatch {
  readonly file: string;
  readonly records: readonly UtteranceRecord[];
  readonly rows: readonly number[];
  readonly lines: readonly number[];
  /** What the file itself says about the side of each record; absent where no record of the batch has one. */
  readonly splits?: readonly (string | undefined)[];
  /** See RowPlace; absent where lines say enough. */
  readonly pointers?: readonly string[];
  readonly problems: readonly RowProblem[];
}

/** Bytes to read: a file, standard input or memory. Opening and closing is the caller's business. */
export interface ByteInput {
  /** As messages should call it. */
  readonly name: string;
  /** The bytes in pieces of any size, whose memory is not used again for others; called once. */
  chunks(): AsyncIterable<Uint8Array>;
}

export type Encoding = 'utf-8' | 'utf-16le' | 'windows-1252';

export interface ReadOptions {
  /** Field to column, e.g. `{ text: 'Phrase', intent: 'Label', 'features.role': 'Role' }`. */
  readonly map?: Readonly<Record<string, string>> | undefined;
  /** Column names of a table that has no header line. */
  readonly columns?: readonly string[] | undefined;
  /** One character; found out by default. */
  readonly delimiter?: string | undefined;
  /** UTF-8 by default, UTF-16LE where its mark is there; anything else is never guessed. */
  readonly encoding?: Encoding | undefined;
  /** The table was written with `escapeFormulas`: takes its apostrophes away again. */
  readonly unescapeFormulas?: boolean | undefined;
  /** Names of labels that are numbers, by column; where it is given, numbers without names are refused. */
  readonly labelNames?: LabelNames | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes to gather before they are parsed at once; 256 KiB by default. Changes speed, never the result. */
  readonly gatherBytes?: number | undefined;
}

/** A fact about the reading that the user should know but that stops nothing, counted. */
export interface ReadNote {
  readonly code: 'blank-rows' | 'mixed-line-ends' | 'trimmed' | 'ignored' | 'side-information' | 'template' | 'mended';
  readonly message: string;
  readonly count: number;
}

/** What a reader took the file for; complete once the reading has ended. */
export interface ReadReport {
  readonly format: string;
  readonly file: string;
  readonly encoding: Encoding;
  readonly delimiter: string | undefined;
  /** The header as found, or the columns that were given. */
  readonly header: readonly string[] | undefined;
  /** Column or key, and the field it was used as (`text`, `features.role`, `meta.source`, …). */
  readonly columns: ReadonlyMap<string, string>;
  /** The file's own division: the column (or the keys of the document) it stands in, and rows by value. */
  readonly split: { readonly column: string | undefined; readonly values: ReadonlyMap<string, number> } | undefined;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly notes: readonly ReadNote[];
}

/** A running read: iterate it once; the report fills as it goes. */
export interface Reading extends AsyncIterable<ReadBatch> {
  readonly report: ReadReport;
}

/** Starts a new pass over the same records; a writer may need two. */
export type RecordSource = () => AsyncIterable<readonly UtteranceRecord[]>;

export interface WriteOptions {
  /** What ends a row of a table; LF by default. */
  readonly lineEnd?: '\n' | '\r\n' | undefined;
  /**
   * Puts an apostrophe before cells that a spreadsheet would run as a formula. Alters texts, so it is off by
   * default and for spreadsheets only; `unescapeFormulas` undoes it exactly.
   */
  readonly escapeFormulas?: boolean | undefined;
  /** What the file is to be called inside, where a format has a place for that: the dataset. */
  readonly name?: string | undefined;
  /** The side that the records are of, where a format has a place for that. */
  readonly side?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Something the format cannot carry, and in how many records it was left out. */
export interface Loss {
  readonly field: string;
  readonly message: string;
  readonly count: number;
}

export interface WriteReport {
  readonly records: number;
  readonly losses: readonly Loss[];
}

/** A running write: iterate it once; the report is complete at the end. */
export interface Writing extends AsyncIterable<Buffer> {
  readonly report: WriteReport;
}

/** The records of one side, for a format that writes all sides together. */
export interface SideSource {
  readonly side: string;
  readonly source: RecordSource;
}

/** A file of a folder that is written; its bytes are to be read before the next file is asked for. */
export interface FolderFile {
  /** Path from the folder, with slashes. */
  readonly path: string;
  /** The side whose records it holds; absent for a file that is about all of them. */
  readonly side?: string;
  /** Name of the format that reads the file back; absent for a file without records. */
  readonly format?: string;
  readonly bytes: AsyncIterable<Buffer>;
}

/** A running write of several files: iterate it once; the report is complete at the end. */
export interface FolderWriting extends AsyncIterable<FolderFile> {
  readonly report: WriteReport;
}

export interface Format {
  /** As in `--format`. */
  readonly name: string;
  /** For messages: "comma-separated values". */
  readonly title: string;
  /** Lower case, with the dot; the first one is used for files that are written. */
  readonly extensions: readonly string[];
  /**
   * How sure the format is that the file is its own, 0 to 1, from the first bytes (up to 64 KiB) and the name.
   * Above 0.5 only for content; a name alone is worth at most 0.5. From 0.9 on no other format is asked.
   */
  sniff(head: Uint8Array, name: string): number;
  /**
   * The same for an archive or a folder, from the paths of its files. Only formats that have it are asked about
   * archives; the reader gets the bytes of a zip, also for a folder.
   */
  sniffArchive?(paths: readonly string[]): number;
  read(input: ByteInput, options?: ReadOptions): Reading;
  write?(source: RecordSource, options?: WriteOptions): Writing;
  /** For formats that are a folder: all sides at once, in several files. */
  writeFolder?(sides: readonly SideSource[], options?: WriteOptions): FolderWriting;
}
