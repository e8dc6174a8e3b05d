/**
 * Writes Parquet that the reader reads back as the same records.
 *
 *   text intent id lang entities features meta      all texts; what a record lacks is null
 *   intent = the name; a JSON list where there are several, or where the name starts with a bracket
 *   entities, features, meta = canonical JSON
 *
 * The columns are always the same ones, in this order: the files of a dataset must have one schema. Row groups are cut
 * by what is in them alone, the compression is plain JavaScript, and no time or version of ours is written, so the
 * same records give the same bytes.
 */
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { canonicalJson, type JsonValue } from '../../base/canonical-json.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';

/** The columns that are written. */
export const PARQUET_COLUMNS = ['text', 'intent', 'id', 'lang', 'entities', 'features', 'meta'] as const;

/** A row group ends after so many rows, or so many characters. */
const GROUP_ROWS = 10_000;
const GROUP_CHARACTERS = 16 * 2 ** 20;

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: PARQUET_COLUMNS.length },
  ...PARQUET_COLUMNS.map((name): SchemaElement => ({
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: name === 'text' ? 'REQUIRED' : 'OPTIONAL',
  })),
];

type Cell = string | null;

export async function* writeParquet(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const out = new ByteWriter();
  const writer = new ParquetWriter({ writer: out, schema: SCHEMA, codec: 'SNAPPY', createdBy: 'uttr version 1' });
  let columns = emptyColumns();
  let rows = 0;
  let characters = 0;
  const closeGroup = (): Buffer => {
    // The writer keeps all offsets; only its buffer begins anew.
    void writer.write({
      columnData: PARQUET_COLUMNS.map((name, index) => ({ name, data: columns[index] as Cell[] })),
      rowGroupSize: rows,
    });
    [columns, rows, characters] = [emptyColumns(), 0, 0];
    return taken(out);
  };
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) {
      for (const [index, cell] of cellsOf(record).entries()) {
        columns[index]?.push(cell);
        characters += cell?.length ?? 0;
      }
      rows++;
      report.records++;
      if (rows === GROUP_ROWS || characters >= GROUP_CHARACTERS) yield closeGroup();
    }
  }
  if (rows > 0) yield closeGroup();
  void writer.finish();
  yield taken(out);
}

function emptyColumns(): Cell[][] {
  return PARQUET_COLUMNS.map(() => []);
}

function cellsOf(record: UtteranceRecord): Cell[] {
  return [
    record.text,
    intentCell(record.intent),
    record.id ?? null,
    record.lang ?? null,
    json(record.entities),
    json(record.features),
    json(record.meta),
  ];
}

function intentCell(intent: UtteranceRecord['intent']): Cell {
  if (intent === undefined) return null;
  if (typeof intent !== 'string') return json(intent);
  return intent.startsWith('[') ? json([intent]) : intent;
}

function json(value: unknown): Cell {
  return value === undefined ? null : canonicalJson(value as JsonValue);
}

/** A copy of what was written since the last time. */
function taken(out: ByteWriter): Buffer {
  const bytes = Buffer.from(out.getBytes());
  out.index = 0;
  return bytes;
}
