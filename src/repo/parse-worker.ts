/**
 * A worker that parses stretches of a JSON Lines file: bytes in, a sorted run of row lines out.
 *
 * It takes the clean case only. A stretch with a problem, a note or anything else to say is answered with
 * `undefined`, and the whole file is read again in one piece, where places and messages are made.
 */
import { isAscii } from 'node:buffer';
import { parentPort } from 'node:worker_threads';
import type { Numbered } from '../base/worker-requests.ts';
import type { ReadOptions } from '../formats/format.ts';
import { jsonlFormat } from '../formats/jsonl.ts';
import { RunSorter } from '../tree/sort.ts';
import { RowLines, type NotedRows } from './batch-rows.ts';
import { PlainLines } from './plain-lines.ts';

export interface ParseRequest extends Numbered {
  readonly bytes: Uint8Array;
  readonly file: number;
  /** Lines of the file before this stretch. */
  readonly linesBefore: number;
  readonly identity: readonly string[];
  readonly map: ReadOptions['map'];
}

export interface ParsedStretch {
  readonly run: Uint8Array;
  readonly rows: number;
  readonly intents: readonly string[];
  readonly noted: NotedRows;
  /** Key and the field it was used as. */
  readonly columns: readonly (readonly [string, string])[];
}

export interface ParseAnswer extends Numbered {
  readonly stretch: ParsedStretch | undefined;
}

/** A stretch is sorted in memory as a whole. */
const NO_RUNS = {
  write: (): Promise<string> => Promise.reject(new Error('a stretch fits into memory')),
  read: (): AsyncIterable<Buffer> => {
    throw new Error('a stretch fits into memory');
  },
  remove: (): Promise<void> => Promise.resolve(),
};

/** One for all stretches: its memory is the larger part of what a worker takes. */
const sorter = new RunSorter(NO_RUNS, { budgetBytes: Infinity });

const plainLines = new PlainLines();

/** The fast way for a stretch of nothing but plain lines; undefined, with lines left in the sorter, for any other. */
function parsePlain({ bytes, file, linesBefore, identity, map }: ParseRequest): ParsedStretch | undefined {
  if (identity.length > 0 || map !== undefined || !isAscii(bytes)) return undefined;
  const lines = new RowLines(sorter, identity);
  let rows = 0;
  let hasFeatures = false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const isPlain = plainLines.read(text, (row, index) => {
    const number = linesBefore + index + 1;
    lines.putPlain(row, { file, row: number, line: number });
    rows++;
    hasFeatures ||= row.hasFeatures;
  });
  if (!isPlain || rows === 0) return undefined;
  const fields = [...(hasFeatures ? ['features'] : []), 'intent', 'text'];
  const columns = fields.map((field) => [field, field] as const);
  return { run: sorter.takeRun(), rows, intents: [...lines.intents], noted: lines.noted, columns };
}

async function parse(request: ParseRequest): Promise<ParsedStretch | undefined> {
  // A stretch that was given up leaves its lines.
  await sorter.dropRuns(0);
  const plain = parsePlain(request);
  if (plain !== undefined) return plain;
  await sorter.dropRuns(0);
  const lines = new RowLines(sorter, request.identity);
  const reading = jsonlFormat.read(
    {
      name: 'stretch',
      async *chunks() {
        yield request.bytes;
      },
    },
    { map: request.map, encoding: 'utf-8' },
  );
  let rows = 0;
  for await (const batch of reading) {
    if (batch.problems.length > 0 || batch.splits !== undefined) return undefined;
    for (let at = 0; at < batch.records.length; at++) {
      const line = request.linesBefore + (batch.lines[at] ?? 0);
      const record = batch.records[at] as (typeof batch.records)[number];
      lines.put(record, { file: request.file, row: request.linesBefore + (batch.rows[at] ?? 0), line });
    }
    rows += batch.records.length;
  }
  if (reading.report.notes.length > 0) return undefined;
  const run = sorter.takeRun();
  const columns = [...reading.report.columns];
  return { run, rows, intents: [...lines.intents], noted: lines.noted, columns };
}

parentPort?.on('message', (request: ParseRequest) => {
  parse(request).then(
    (stretch) => answer({ id: request.id, stretch }),
    // Whatever is wrong with the file is said by the reading in one piece.
    () => answer({ id: request.id, stretch: undefined }),
  );
});

function answer(message: ParseAnswer): void {
  parentPort?.postMessage(message, message.stretch === undefined ? [] : [message.stretch.run.buffer as ArrayBuffer]);
}
