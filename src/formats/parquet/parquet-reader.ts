/**
 * Reads Parquet: a row is an object whose keys are the columns, read like any JSON record.
 *
 * `entities`, `features` and `meta` may be JSON in a text or nested values; several intents may be a list or JSON. A
 * whole number as label is looked up in the names that the footer gives (the key `huggingface`). The file is in
 * memory, as its schema stands at its end; its rows are unpacked one row group at a time.
 */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadata,
  parquetScan,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet';
import { isUttrError, throwIfAborted, UttrError } from '../../base/errors.ts';
import { labelNamesOf, type LabelNames } from '../class-labels.ts';
import { readBytes } from '../document.ts';
import { isReservedName, mappedTargets, type Target, targetOf } from '../fields.ts';
import { type ByteInput, COLUMN_LIMIT, type ReadBatch, type ReadOptions } from '../format.ts';
import { JsonRecords } from '../json-records.ts';
import { BatchBuilder, type ReportBuilder } from '../read-report.ts';
import { binaryKind } from '../signature.ts';
import { parseStrictJson } from '../strict-json.ts';
import { intentOf } from '../table-records.ts';
import { badParquet, Budget, CheckedPages } from './page-checks.ts';
import { hasBytes, JsonText, PARSERS, plainValue } from './parquet-values.ts';
import { damaged, walkStruct } from './thrift-structs.ts';

/** The bytes are in memory, packed; of its rows, only those of a row group are. */
const FILE_LIMIT_BYTES = 1024 * 2 ** 20;
/** A footer larger than this has more row groups than any dataset of texts. */
const FOOTER_LIMIT_BYTES = 64 * 2 ** 20;
/** Levels of a schema: lists take two each. */
const SCHEMA_DEPTH_LIMIT = 40;
/** Rows that are handed on together. */
const BATCH_ROWS = 1000;
/** Bytes that a file has besides its footer: the mark at both ends, and the footer's length. */
const FRAME_BYTES = 12;

export async function* readParquet(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const bytes = await readBytes(input, FILE_LIMIT_BYTES);
  const metadata = openFooter(bytes, report.file);
  const budget = new Budget(bytes.length, report.file);
  const names = new Map([...(options.labelNames ?? []), ...labelNamesIn(metadata)]);
  const rows = new RowReader(new BatchBuilder(report), { ...options, labelNames: names }, budget);
  const groups = rowGroups(bytes, metadata, budget, report.file);
  for await (const group of groups) {
    for (let index = 0; index < group.rowCount; index++) {
      rows.add(group.columns.map(([name, values]) => [name, values[index]] as const));
      if (rows.batch.size < BATCH_ROWS) continue;
      yield rows.batch.take();
      throwIfAborted(options.signal);
    }
    throwIfAborted(options.signal);
  }
  rows.finish();
  if (rows.batch.size > 0) yield rows.batch.take();
}

/** @throws bad-format */
function openFooter(bytes: Buffer, file: string): FileMetaData {
  const start = bytes.subarray(0, 4).toString('latin1');
  if (start !== 'PAR1') {
    const kind = binaryKind(bytes) ?? (bytes.length === 0 ? 'empty' : undefined);
    throw new UttrError(
      'bad-format',
      `${file} is ${kind ?? 'no Parquet file'}${kind === undefined ? '' : ', no Parquet file'}`,
      {
        hint: 'a Parquet file begins and ends with the letters PAR1',
        details: { file },
      },
    );
  }
  try {
    if (bytes.length < FRAME_BYTES || bytes.subarray(-4).toString('latin1') !== 'PAR1') {
      throw damaged('it is cut short: its end, where the schema stands, is missing');
    }
    const length = bytes.readUInt32LE(bytes.length - 8);
    if (length > Math.min(FOOTER_LIMIT_BYTES, bytes.length - FRAME_BYTES)) throw damaged('its footer is too long');
    walkStruct(bytes.subarray(0, bytes.length - 8), bytes.length - 8 - length);
    const metadata = parquetMetadata(bytes, { geoparquet: false, parsers: PARSERS });
    checkSchema(metadata.schema, file);
    return metadata;
  } catch (error) {
    throw badParquet(file, error);
  }
}

/** @throws bad-row, bad-format for names that occur twice or are reserved */
function checkSchema(schema: readonly SchemaElement[], file: string): void {
  if (schema.length > 2 * COLUMN_LIMIT)
    throw new UttrError('bad-format', `${file} has more than ${COLUMN_LIMIT} columns`);
  /** Elements that are still to come, level by level. */
  const open: number[] = [1];
  const names = new Map<string, number>();
  for (const { name, num_children: children = 0 } of schema) {
    while (open.at(-1) === 0) open.pop();
    if (open.length === 0 || open.length > SCHEMA_DEPTH_LIMIT) throw damaged('its schema is nested in no possible way');
    open.push((open.pop() as number) - 1);
    const isColumn = open.length === 2;
    if (children > 0) open.push(children);
    const before = isColumn ? names.get(name) : undefined;
    if (before !== undefined || isReservedName(name)) {
      const number = names.size + 1;
      throw new UttrError(
        'bad-format',
        before === undefined
          ? `${file}: no column may be called "${name}"`
          : `${file}: columns ${before} and ${number} are both called "${name}"`,
        { hint: 'rename the column', details: { file } },
      );
    }
    if (isColumn) names.set(name, names.size + 1);
  }
  if (open.some((left) => left > 0)) throw damaged('its schema is cut short');
}

/** What `datasets` and the hub write into the footer. */
function labelNamesIn({ key_value_metadata: entries }: FileMetaData): LabelNames {
  const json = entries?.find(({ key }) => key === 'huggingface')?.value;
  if (json === undefined) return new Map();
  try {
    const value = parseStrictJson(json) as { readonly info?: { readonly features?: unknown } } | null;
    return labelNamesOf(value?.info?.features);
  } catch (error) {
    // Without its names the file may still be read: they matter only where labels are numbers.
    if (!isUttrError(error, 'bad-row')) throw error;
    return new Map();
  }
}

interface RowGroup {
  readonly rowCount: number;
  readonly columns: readonly (readonly [string, ArrayLike<unknown>])[];
}

/** @throws bad-format */
async function* rowGroups(
  bytes: Buffer,
  metadata: FileMetaData,
  budget: Budget,
  file: string,
): AsyncGenerator<RowGroup> {
  try {
    const pages = new CheckedPages(bytes, metadata, budget);
    const scan = await parquetScan({
      file: bufferOf(bytes),
      metadata,
      parsers: PARSERS,
      compressors: pages.compressors,
      useOffsetIndex: false,
    });
    const groups = metadata.row_groups.filter(({ num_rows: count }) => count > 0n);
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    for (const [index, { rowStart, rowEnd }] of scan.ranges.entries()) {
      const rowCount = rowEnd - rowStart;
      const chunks = (groups[index]?.columns ?? []).flatMap(({ meta_data: meta }) =>
        meta === undefined ? [] : [meta],
      );
      const columns: [string, ArrayLike<unknown>][] = [];
      for (const column of names) {
        const own = chunks.filter(({ path_in_schema: path }) => path[0] === column);
        pages.prepare(own, rowCount);
        const values = await scan.readColumn({ column, rowStart, rowEnd });
        if (values.length !== rowCount) throw damaged(`"${column}" has ${values.length} values in ${rowCount} rows`);
        columns.push([column, values]);
      }
      yield { rowCount, columns };
    }
  } catch (error) {
    throw badParquet(file, error);
  }
}

/** hyparquet takes slices, which it keeps: each is a copy, as it takes no part of a buffer. */
function bufferOf(bytes: Buffer): AsyncBuffer {
  return {
    byteLength: bytes.length,
    slice: (start, end = bytes.length) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  };
}

/** Makes records of rows. */
class RowReader {
  readonly batch: BatchBuilder;
  readonly #records: JsonRecords;
  readonly #mapped: ReadonlyMap<string, Target>;
  readonly #budget: Budget;
  #row = 0;

  constructor(batch: BatchBuilder, options: ReadOptions, budget: Budget) {
    this.batch = batch;
    this.#records = new JsonRecords(batch, options);
    this.#mapped = mappedTargets(options.map);
    this.#budget = budget;
  }

  /** @throws bad-format where the file unpacks to too much */
  add(cells: readonly (readonly [string, unknown])[]): void {
    this.#row++;
    const object: Record<string, unknown> = {};
    const source = {
      row: this.#row,
      line: this.#row,
      // Only a row that is refused is shown.
      get raw(): string {
        return JSON.stringify(object);
      },
    };
    let fault: { column: string; message: string } | undefined;
    for (const [column, cell] of cells) {
      const target = this.#mapped.get(column) ?? targetOf(column);
      if (target === undefined && hasBytes(cell)) {
        this.batch.report.note('ignored', `"${column}" holds bytes, which a record cannot carry`);
        continue;
      }
      try {
        const value = this.#value(cell, target);
        if (value !== null || target !== undefined) object[column] = value;
      } catch (error) {
        if (!isUttrError(error, 'bad-row')) throw error;
        fault ??= { column, message: `"${column}" ${error.message}` };
      }
    }
    if (fault === undefined) this.#records.add(object, source);
    else this.batch.reject(source, fault.column, fault.message);
  }

  finish(): void {
    this.#records.finish();
  }

  #value(cell: unknown, target: Target | undefined): unknown {
    if (typeof cell === 'bigint' && target?.field === 'id') return String(cell);
    if (cell instanceof JsonText) return this.#json(cell.text);
    if (typeof cell !== 'string') return plainValue(cell);
    this.#budget.spend(cell.length);
    if (target === undefined || target.name !== undefined) return cell;
    if (target.field === 'intent') return intentOf(cell);
    const isNested = target.field === 'entities' || target.field === 'features' || target.field === 'meta';
    if (!isNested) return cell;
    return cell.trim() === '' ? null : this.#json(cell);
  }

  #json(text: string): unknown {
    this.#budget.spend(text.length);
    try {
      return parseStrictJson(text);
    } catch (error) {
      if (!isUttrError(error, 'bad-row')) throw error;
      throw damaged(`is no JSON: ${error.message}`);
    }
  }
}
