/** Reads and writes in memory, for the tests of formats. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ByteInput, Format, ReadOptions, ReadReport, RowProblem, WriteOptions } from '../../src/formats/format.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

/** Bytes in pieces as an input. */
export function memoryInput(content: string | Uint8Array | readonly Uint8Array[], name = 'memory'): ByteInput {
  const single = typeof content === 'string' ? Buffer.from(content) : content;
  const pieces = single instanceof Uint8Array ? [single] : single;
  return {
    name,
    async *chunks() {
      yield* pieces;
    },
  };
}

/** Everything a reading gave, batches joined. */
export interface Everything {
  readonly records: UtteranceRecord[];
  readonly rows: number[];
  readonly lines: number[];
  readonly splits: (string | undefined)[];
  readonly problems: RowProblem[];
  readonly report: ReadReport;
}

export async function readAll(
  format: Format,
  content: string | Uint8Array | readonly Uint8Array[],
  options: ReadOptions = {},
): Promise<Everything> {
  const reading = format.read(memoryInput(content), options);
  const all: Everything = { records: [], rows: [], lines: [], splits: [], problems: [], report: reading.report };
  for await (const batch of reading) {
    all.records.push(...batch.records);
    all.rows.push(...batch.rows);
    all.lines.push(...batch.lines);
    all.splits.push(...(batch.splits ?? batch.records.map(() => undefined)));
    all.problems.push(...batch.problems);
  }
  return all;
}

/** Problems as `row:line column message`, for compact expectations. */
export function shown(problems: readonly RowProblem[]): string[] {
  return problems.map(({ row, line, column, message }) => `${row}:${line} ${column ?? '-'} ${message}`);
}

export async function writeAll(
  format: Format,
  records: readonly UtteranceRecord[],
  options: WriteOptions = {},
): Promise<Buffer> {
  if (format.write === undefined) throw new Error(`${format.name} cannot be written`);
  const parts: Buffer[] = [];
  const source = async function* (): AsyncGenerator<readonly UtteranceRecord[]> {
    for (let from = 0; from < records.length; from += 3) yield records.slice(from, from + 3);
  };
  for await (const bytes of format.write(source, options)) parts.push(bytes);
  return Buffer.concat(parts);
}

/** Cuts bytes at the given places, in any order and number. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

/** Where real files lie. */
export const DATA = join(import.meta.dirname, '../../../shared/data');

/** They lie beside the project; where they do not, tests that need them are skipped. */
export const HAS_DATA = existsSync(DATA);
export const NO_DATA = HAS_DATA ? '' : ' (skipped: there is no ../shared/data)';

export async function dataFile(path: string): Promise<Buffer> {
  return await readFile(join(DATA, path));
}

/** The start of every real file, as a format is asked about it. */
export async function* dataFiles(): AsyncGenerator<{ readonly path: string; readonly head: Buffer }> {
  const entries = await readdir(DATA, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(DATA, join(entry.parentPath, entry.name)));
  for (const path of paths.sort()) yield { path, head: (await dataFile(path)).subarray(0, 65_536) };
}
