/** Which groups versions may have: a filter for each dataset, and what was added since it was written. */
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
  /** Two hashes of 32 bits for each group, little-endian. */
  readonly hashes: Buffer;
}

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
    return this.#statements.get(sql, dataset, version) !== undefined;
  }

  additions(dataset: string): FilterAddition[] {
    return this.#statements.all(
      'SELECT id, hashes FROM filter_additions WHERE dataset = ? ORDER BY id',
      dataset,
    ) as FilterAddition[];
  }

  /** Another filter in the place of the one before; it covers nothing yet. */
  replace(dataset: string, { file, groups, capacity }: FilterRow): void {
    this.clear(dataset);
    const sql = 'INSERT INTO filters (dataset, file, groups, capacity) VALUES (?, ?, ?, ?)';
    this.#statements.run(sql, dataset, file, groups, capacity);
  }

  /** A filter that has the additions up to `id` too. */
  absorb(dataset: string, { file, groups }: FilterRow, id: number): void {
    this.#statements.run('UPDATE filters SET file = ?, groups = ? WHERE dataset = ?', file, groups, dataset);
    this.#statements.run('DELETE FROM filter_additions WHERE dataset = ? AND id <= ?', dataset, id);
  }

  cover(dataset: string, version: Hash, hashes: Buffer): void {
    if (hashes.length > 0) {
      this.#statements.run('INSERT INTO filter_additions (dataset, hashes) VALUES (?, ?)', dataset, hashes);
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
