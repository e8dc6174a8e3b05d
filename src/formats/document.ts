/**
 * Formats that are one document: the whole file is in memory while its utterances are taken out of it.
 */
import { UttrError } from '../base/errors.ts';
import type { LooseRecord } from '../records/make-record.ts';
import type { ByteInput, ReadBatch, ReadOptions } from './format.ts';
import { BatchBuilder, type ReportBuilder } from './read-report.ts';
import { TextInput } from './text-input.ts';

/** A document larger than this is refused: its objects take several times as much memory. */
export const DOCUMENT_LIMIT_BYTES = 256 * 2 ** 20;

/** Rows that are handed on together. */
const BATCH_ROWS = 1000;

/** Where an utterance stands in its document. */
export interface UtterancePlace {
  /** Physical line, from 1; 1 where the format has no lines that would mean anything. */
  readonly line?: number | undefined;
  /** A JSON pointer, a cell, a path inside an archive. */
  readonly pointer?: string | undefined;
  /** The utterance as the file has it, for a rejects file. */
  readonly raw?: string | undefined;
}

/** All bytes of an input. @throws bad-format where there are more than `limitBytes` */
export async function readBytes(input: ByteInput, limitBytes: number = DOCUMENT_LIMIT_BYTES): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of input.chunks()) {
    length += part.length;
    if (length > limitBytes) {
      throw new UttrError('bad-format', `${input.name} has more than ${limitBytes / 2 ** 20} MiB`, {
        hint: 'files in this format are read as a whole: divide it into several',
        details: { file: input.name, limit: limitBytes },
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** All text of an input, its mark dropped. @throws bad-format where it is too large, or not what its encoding says */
export async function readDocument(input: ByteInput, report: ReportBuilder, options: ReadOptions): Promise<string> {
  const bytes = await readBytes(input);
  const text = new TextInput(
    {
      name: input.name,
      chunks: async function* () {
        yield bytes;
      },
    },
    options,
  );
  const parts = await Array.fromAsync(text.pieces());
  report.encoding = text.encoding;
  const document = parts.join('');
  const invalid = text.takeInvalid(0, document.length);
  if (invalid === undefined) return document;
  throw new UttrError('bad-format', `${input.name}: ${invalid}`, {
    hint: 'save it as UTF-8',
    details: { file: input.name },
  });
}

/** Gathers the utterances of a document, which are numbered in the order they come. */
export class Utterances {
  readonly report: ReportBuilder;
  readonly #batch: BatchBuilder;
  #row = 0;

  constructor(report: ReportBuilder) {
    this.report = report;
    this.#batch = new BatchBuilder(report);
  }

  /**
   * Takes an utterance; what is wrong with it becomes problems of its row.
   *
   * @param split what the file itself says about its side.
   */
  add(loose: LooseRecord, place: UtterancePlace = {}, split?: string): void {
    this.#batch.add(loose, this.#source(place), split);
  }

  /** Refuses an utterance for a reason that its reader sees. @param column the field that is wrong */
  reject(message: string, column: string | undefined, place: UtterancePlace = {}): void {
    this.#batch.reject(this.#source(place), column, message);
  }

  /** What was gathered, in parts. */
  *batches(): Generator<ReadBatch> {
    if (this.#batch.size > 0) yield this.#batch.take();
  }

  /** As `batches`, but only once there is enough of it. */
  *fullBatches(): Generator<ReadBatch> {
    if (this.#batch.size >= BATCH_ROWS) yield this.#batch.take();
  }

  #source({ line = 1, pointer, raw }: UtterancePlace): Parameters<BatchBuilder['reject']>[0] {
    this.#row += 1;
    return { row: this.#row, line, raw, pointer };
  }
}
