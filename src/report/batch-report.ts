/**
 * A batch as it was given, each row with what it changed and what is wrong with it: a workbook to mend, or a page to
 * read. Rows stream by; neither needs them all in memory.
 */
import { extname } from 'node:path';
import { UttrError } from '../base/errors.ts';
import { DurableFile } from '../store/durable-file.ts';

/** What became of a row. */
export type BatchEffect =
  | 'new'
  | 'unchanged'
  | 'relabelled'
  | 'updated'
  | 'conflict'
  | 'duplicate'
  | 'rejected'
  | 'removed';

/** A row of a batch. */
export interface BatchReportRow {
  readonly file: string;
  /** From 1. */
  readonly row: number;
  /** Where people find it: `batch.csv:118`, `Sheet1!C17`. */
  readonly place: string;
  readonly text: string;
  /** The row for each of the report's columns; of a row that could not be read, perhaps only the first. */
  readonly cells: readonly string[];
  /** As people read it; several joined by ` + `. */
  readonly intent: string;
  readonly effect: BatchEffect;
  /** Empty where there is none. */
  readonly problem: string;
}

export interface BatchReport {
  readonly dataset: string;
  readonly title: string;
  /** Columns of a batch with these records, as any reader of tables knows them: text, intent, … */
  readonly columns: () => readonly string[];
  /** Shown in the order given. */
  readonly counts: Readonly<Record<string, number>>;
  /** Records of each intent, before the batch and after it. */
  readonly intents: readonly { readonly intent: string; readonly before: number; readonly after: number }[];
  /** In the order of the files. */
  readonly rows: AsyncIterable<readonly BatchReportRow[]>;
}

type ReportWriter = (report: BatchReport, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

const page = async (): Promise<ReportWriter> => (await import('./batch-page.ts')).batchPage;
const workbook = async (): Promise<ReportWriter> => (await import('./batch-workbook.ts')).batchWorkbook;
const WRITERS: Readonly<Record<string, () => Promise<ReportWriter>>> = {
  '.html': page,
  '.htm': page,
  '.xlsx': workbook,
};

/** Refuses a path that `writeBatchReport` would refuse: to be asked before the work is done. @throws bad-option */
export function checkReportPath(path: string): void {
  writerOf(path);
}

/**
 * Writes the report, in the form that the file's ending names: all of it, or nothing.
 *
 * @throws bad-option for any other ending, and for more rows than a workbook has
 * @throws disk-full, access-denied, io-failed, aborted
 */
export async function writeBatchReport(path: string, report: BatchReport, signal?: AbortSignal): Promise<void> {
  const write = await writerOf(path)();
  await using file = await DurableFile.open(path);
  for await (const bytes of write(report, signal)) await file.append(bytes);
  await file.publish();
}

function writerOf(path: string): () => Promise<ReportWriter> {
  const extension = extname(path).toLowerCase();
  const writer = Object.hasOwn(WRITERS, extension) ? WRITERS[extension] : undefined;
  if (writer !== undefined) return writer;
  const what = extension === '' ? 'has no ending' : `ends in ${JSON.stringify(extension)}`;
  throw new UttrError('bad-option', `a report is written as .html or .xlsx, and ${path} ${what}`, {
    hint: 'name the file report.html to read it in a browser, or report.xlsx to mend it in a spreadsheet',
  });
}
