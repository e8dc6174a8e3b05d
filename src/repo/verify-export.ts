/**
 * Reads an exported file back before anybody sees it: a writer that loses what it does not declare is found by every
 * export, not by the training that goes wrong.
 */
import { UttrError } from '../base/errors.ts';
import { sha256Bytes } from '../base/hash.ts';
import type { Format, Loss, ReadOptions } from '../formats/format.ts';
import { encodeRecord } from '../records/encode-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { BatchInput } from './input.ts';

const DIGEST_BYTES = 6;
const DIGEST_RANGE = 2 ** (8 * DIGEST_BYTES);

/** What a set of records adds up to, whatever their order. */
export class RecordSum {
  count = 0;
  /** Of texts and labels. */
  labelled = 0;
  /** Of all that records have. */
  whole = 0;

  add(record: UtteranceRecord): void {
    const { text, intent } = record;
    this.count += 1;
    this.labelled = sum(this.labelled, encodeRecord(intent === undefined ? { text } : { text, intent }));
    this.whole = sum(this.whole, encodeRecord(record));
  }
}

function sum(before: number, text: string): number {
  return (before + sha256Bytes(text).readUIntBE(0, DIGEST_BYTES)) % DIGEST_RANGE;
}

/** A file that was written, and what went into it. */
export interface WrittenFile {
  readonly path: string;
  /** As messages call it. */
  readonly name: string;
  readonly format: Format;
  readonly written: RecordSum;
  readonly losses: readonly Loss[];
}

/**
 * Compares a written file with the records that went into it, as far as its writer says that it carries them.
 *
 * @throws internal where the file holds anything else
 */
export async function verifyExport(
  { path, name, format, written, losses }: WrittenFile,
  options: ReadOptions = {},
): Promise<void> {
  const read = new RecordSum();
  const input = await BatchInput.open({ kind: 'file', path, name }, options.signal);
  let problem: string | undefined;
  try {
    const reading = format.read(input, options);
    for await (const { records, problems } of reading) {
      for (const record of records) read.add(record);
      problem ??= problems[0]?.message;
    }
  } finally {
    await input.close();
  }
  const lost = (field: string): number =>
    losses.filter((loss) => loss.field === field).reduce((sum, { count }) => sum + count, 0);
  const isSame =
    read.count === written.count - lost('record') &&
    (lost('record') + lost('text') + lost('intent') > 0 || read.labelled === written.labelled) &&
    (losses.length > 0 || read.whole === written.whole);
  if (problem === undefined && isSame) return;
  throw new UttrError(
    'internal',
    `${name} does not hold what was written to it${problem === undefined ? '' : `: ${problem}`}`,
    {
      hint: 'nothing was exported; please report it, and export in another format meanwhile',
      details: { file: name, format: format.name, written: written.count, read: read.count },
    },
  );
}
