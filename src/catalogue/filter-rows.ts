/** Which groups versions may have: a filter for each dataset, and what was added since it was written. */
import { crc32 } from 'node:zlib';
import type { Hash } from '../base/hash.ts';
import type { Statements } from './statements.ts';

export interface FilterRow {
  /** Name of its file. */
  readonly file: string;
  /** Groups in the file, and groups for which it was made. */
  readonly groups: number;
  readonly capacity: number;
}

export interface FilterAddition {
  readonly id: number;
  /** A hash of 32 bits for each group, little-endian. */
  readonly hashes: Buffer;
}

/** Bytes of a group in `hashes`. */
export const HASH_BYTES = 4;

export class FilterRows {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(dataset: string): FilterRow | undefined {
    return this.#statements.get('SELECT file, groups, capacity FROM filters WHERE dataset = ?', dataset) as
      | FilterRow
      | undefined;
  }

  /** Whether every group of a version is in the filter or its additions. */
  covers(dataset: string, version: Hash): boolean {
    const sql = 'SELECT 1 FROM filter_versions WHERE dataset = ? AND version = ?';
    return this.#statements.exists(sql, dataset, version);
  }

  /** undefined where they are damaged, or some are lost: SQLite would not notice. */
  additions(dataset: string): FilterAddition[] | undefined {
    const rows = this.#statements.all(
      'SELECT id, hashes, checksum FROM filter_additions WHERE dataset = ? ORDER BY id',
      dataset,
    ) as (FilterAddition & { readonly checksum: number })[];
    const sum = this.#statements.get('SELECT added FROM filters WHERE dataset = ?', dataset) as
      | { readonly added: number }
      | undefined;
    const isWhole = rows.every(({ hashes, checksum }) => crc32(hashes) === checksum);
    return isWhole && countOf(rows) === (sum?.added ?? 0) ? rows.map(({ id, hashes }) => ({ id, hashes })) : undefined;
  }

  /** Another filter in the place of the one before; it covers nothing yet. */
  replace(dataset: string, { file, groups, capacity }: FilterRow): void {
    this.clear(dataset);
    const sql = 'INSERT INTO filters (dataset, file, groups, capacity, added) VALUES (?, ?, ?, ?, 0)';
    this.#statements.run(sql, dataset, file, groups, capacity);
  }

  /** A filter that has some of the additions too. */
  absorb(dataset: string, file: string, additions: readonly FilterAddition[]): void {
    const count = countOf(additions);
    const sql = 'UPDATE filters SET file = ?, groups = groups + ?, added = added - ? WHERE dataset = ?';
    this.#statements.run(sql, file, count, count, dataset);
    for (const { id } of additions) this.#statements.run('DELETE FROM filter_additions WHERE id = ?', id);
  }

  cover(dataset: string, version: Hash, hashes: Buffer): void {
    if (hashes.length > 0) {
      const insert = 'INSERT INTO filter_additions (dataset, hashes, checksum) VALUES (?, ?, ?)';
      this.#statements.run(insert, dataset, hashes, crc32(hashes));
      const update = 'UPDATE filters SET added = added + ? WHERE dataset = ?';
      this.#statements.run(update, hashes.length / HASH_BYTES, dataset);
    }
    const sql = 'INSERT OR IGNORE INTO filter_versions (dataset, version) VALUES (?, ?)';
    this.#statements.run(sql, dataset, version);
  }

  clear(dataset: string): void {
    for (const table of ['filters', 'filter_versions', 'filter_additions']) {
      this.#statements.run(`DELETE FROM ${table} WHERE dataset = ?`, dataset);
    }
  }

  /** Names of all files in use. */
  files(): string[] {
    return (this.#statements.all('SELECT file FROM filters') as { file: string }[]).map(({ file }) => file);
  }
}

/** How many groups some additions have. */
export function countOf(additions: readonly Pick<FilterAddition, 'hashes'>[]): number {
  return additions.reduce((sum, { hashes }) => sum + hashes.length / HASH_BYTES, 0);
}
