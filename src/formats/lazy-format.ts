/**
 * A format whose code is loaded when a file is read or written in it: recognising one must not cost what reading all
 * of them would.
 */
import type {
  ByteInput,
  FolderFile,
  Format,
  ReadBatch,
  ReadOptions,
  RecordSource,
  SideSource,
  WriteOptions,
} from './format.ts';
import { reading, ReportBuilder } from './read-report.ts';
import { folderWriting, type WriteReportBuilder, writing } from './write-report.ts';

/** Reads all of an input into batches, and says in the report what it was. */
export type ReadBatches = (input: ByteInput, options: ReadOptions, report: ReportBuilder) => AsyncIterable<ReadBatch>;

/** Writes all records, and says in the report what was left out. */
export type WriteBytes = (
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
) => AsyncIterable<Buffer>;

/** Writes the files of a folder, and says in the report what was left out. */
export type WriteFiles = (
  sides: readonly SideSource[],
  options: WriteOptions,
  report: WriteReportBuilder,
) => AsyncIterable<FolderFile>;

/** What is known of a format before its code is there. */
export type FormatOutline = Omit<Format, 'read' | 'write' | 'writeFolder'>;

export interface FormatCode {
  readonly reader: () => Promise<ReadBatches>;
  readonly writer?: () => Promise<WriteBytes>;
  readonly folderWriter?: () => Promise<WriteFiles>;
}

export function lazyFormat(outline: FormatOutline, { reader, writer, folderWriter }: FormatCode): Format {
  return {
    ...outline,
    read: (input, options = {}) => {
      const report = new ReportBuilder(outline.name, input.name);
      return reading(
        report,
        (async function* () {
          yield* (await reader())(input, options, report);
        })(),
      );
    },
    ...(writer === undefined
      ? {}
      : {
          write: (source: RecordSource, options: WriteOptions = {}) =>
            writing(async function* (report) {
              yield* (await writer())(source, options, report);
            }),
        }),
    ...(folderWriter === undefined
      ? {}
      : {
          writeFolder: (sides: readonly SideSource[], options: WriteOptions = {}) =>
            folderWriting(async function* (report) {
              yield* (await folderWriter())(sides, options, report);
            }),
        }),
  };
}
