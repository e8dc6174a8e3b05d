/** The report of a writing, as writers build it. */
import type { FolderFile, FolderWriting, Loss, WriteReport, Writing } from './format.ts';

/** A report that is being written. */
export class WriteReportBuilder implements WriteReport {
  records = 0;
  readonly #losses = new Map<string, Loss>();

  get losses(): readonly Loss[] {
    return [...this.#losses.values()];
  }

  /** Counts records that could not be carried whole; each reason is counted by itself. */
  lose(field: string, message: string, times = 1): void {
    if (times === 0) return;
    const key = JSON.stringify([field, message]);
    const count = (this.#losses.get(key)?.count ?? 0) + times;
    this.#losses.set(key, { field, message, count });
  }
}

/** Joins a report and the bytes that fill it. */
export function writing(bytes: (report: WriteReportBuilder) => AsyncIterable<Buffer>): Writing {
  const report = new WriteReportBuilder();
  return { report, [Symbol.asyncIterator]: () => bytes(report)[Symbol.asyncIterator]() };
}

/** The same for a writing of several files. */
export function folderWriting(files: (report: WriteReportBuilder) => AsyncIterable<FolderFile>): FolderWriting {
  const report = new WriteReportBuilder();
  return { report, [Symbol.asyncIterator]: () => files(report)[Symbol.asyncIterator]() };
}
