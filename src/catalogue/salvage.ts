/**
 * Saves what can be read of a damaged catalogue. What packs hold is left: it is made anew from them.
 */
import { existsSync, renameSync } from 'node:fs';
import { isUttrError } from '../base/errors.ts';
import { type Db, findDamage, openDatabase, openDamaged } from './database.ts';

/** Tables that nothing else holds, each after those it refers to. */
const KEPT_TABLES = [
  'staged',
  'tags',
  'merges',
  'remotes',
  'remote_heads',
  'remote_versions',
  'sent_packs',
  'head_moves',
  'events',
  'deliveries',
  'disabled_sinks',
  'trusted_sinks',
  'pointers',
] as const;

type Row = Readonly<Record<string, unknown>>;

/** A damaged catalogue that was put aside. */
export interface AsideCatalogue {
  /** Where it is now. */
  readonly path: string;
  /** Rows that were saved from it. */
  readonly saved: number;
  /** Tables that could not be read, or not to their end. */
  readonly lost: readonly string[];
}

/** Puts a catalogue aside if it is damaged, and makes a new one with what can be read. @returns undefined: it is sound */
export function setAsideDamaged(path: string): AsideCatalogue | undefined {
  if (!isDamaged(path)) return undefined;
  const aside = freePath(`${path}.damaged`);
  renameSync(path, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  const fresh = openDatabase(path);
  try {
    return { path: aside, ...copyKept(aside, fresh) };
  } finally {
    fresh.close();
  }
}

function isDamaged(path: string): boolean {
  let db: Db;
  try {
    db = openDatabase(path);
  } catch (error) {
    if (isUttrError(error, 'catalogue-unusable')) return true;
    throw error;
  }
  try {
    return findDamage(db).length > 0;
  } finally {
    db.close();
  }
}

function freePath(path: string): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${path}-${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function copyKept(from: string, into: Db): { saved: number; lost: string[] } {
  const old = openDamaged(from);
  if (old === undefined) return { saved: 0, lost: [...KEPT_TABLES] };
  const lost: string[] = [];
  let saved = 0;
  try {
    for (const table of KEPT_TABLES) {
      const { rows, isWhole } = readRows(old, table);
      if (!isWhole) lost.push(table);
      for (const row of rows) if (isBelievable(table, row) && insert(into, table, row)) saved++;
    }
  } finally {
    old.close();
  }
  return { saved, lost };
}

/** Rows of a table up to the first that cannot be read. */
function readRows(db: Db, table: string): { rows: Row[]; isWhole: boolean } {
  const rows: Row[] = [];
  try {
    for (const row of db.prepare(`SELECT * FROM ${table}`).iterate()) rows.push(row as Row);
    return { rows, isWhole: true };
  } catch {
    return { rows, isWhole: false };
  }
}

/** A body that is not the JSON of its own event would be sent as it is. */
function isBelievable(table: string, row: Row): boolean {
  if (table !== 'events') return true;
  try {
    return (JSON.parse(String(row['body'])) as { id?: unknown }).id === row['id'];
  } catch {
    return false;
  }
}

function insert(db: Db, table: string, row: Row): boolean {
  const known = new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name));
  const columns = Object.keys(row).filter((name) => known.has(name));
  try {
    const places = columns.map(() => '?').join(', ');
    const sql = `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`;
    return db.prepare(sql).run(columns.map((name) => row[name])).changes > 0;
  } catch {
    // A value of the wrong type, or a delivery whose event is gone.
    return false;
  }
}
