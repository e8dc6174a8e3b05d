/**
 * A format whose code is loaded when a file is read or written in it: recognising one must not cost what reading all
 * of them would.
 */
import type { ByteInput, Format, ReadBatch, ReadOptions, RecordSource, WriteOptions } from './format.ts';
import { reading, ReportBuilder } from './read-report.ts';
import { type WriteReportBuilder, writing } from './write-report.ts';

/** Reads all of an input into batches, and says in the report what it was. */
export type ReadBatches = (input: ByteInput, options: ReadOptions, report: ReportBuilder) => AsyncIterable<ReadBatch>;

/** Writes all records, and says in the report what was left out. */
export type WriteBytes = (
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
) => AsyncIterable<Buffer>;

/** What is known of a format before its code is there. */
export type FormatOutline = Omit<Format, 'read' | 'write'>;

export interface FormatCode {
  readonly reader: () => Promise<ReadBatches>;
  readonly writer?: () => Promise<WriteBytes>;
}

export function lazyFormat(outline: FormatOutline, { reader, writer }: FormatCode): Format {
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
  };
}
