/**
 * The catalogue's SQLite file: opening, settings, migrations. The only importer of better-sqlite3.
 *
 * C1  Every connection runs in WAL with synchronous=FULL: what a transaction has committed survives power loss.
 * C2  Migrations only append; each runs in one IMMEDIATE transaction together with its `user_version`.
 * C3  A file written by a newer uttr is refused, never touched.
 * C6  A catalogue is never begun on a network file system.
 *
 * Write transactions are always `.immediate()`: a deferred one that turns into a writer fails with
 * SQLITE_BUSY without waiting for the busy time-out.
 */
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { UttrError } from '../base/errors.ts';

export type Db = Database.Database;

/** "uttr" in ASCII: tells our files from other SQLite files. */
const APPLICATION_ID = 0x75_74_74_72;

const BUSY_TIMEOUT_MS = 10_000;

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE packs (
     id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL) STRICT;
   CREATE TABLE frames (
     id INTEGER PRIMARY KEY, pack INTEGER NOT NULL REFERENCES packs(id), offset INTEGER NOT NULL,
     stored INTEGER NOT NULL, raw INTEGER NOT NULL, depth INTEGER NOT NULL, dictionary BLOB) STRICT;
   CREATE TABLE chunks (
     name BLOB PRIMARY KEY, frame INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE versions (
     hash TEXT PRIMARY KEY, dataset TEXT NOT NULL, time TEXT NOT NULL, manifest TEXT NOT NULL) STRICT;
   CREATE INDEX versions_by_dataset ON versions (dataset, time);
   CREATE TABLE complete_versions (version TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
   CREATE TABLE pointers (
     dataset TEXT PRIMARY KEY, previous TEXT, version TEXT NOT NULL, text TEXT NOT NULL) STRICT;
   CREATE TABLE staged (
     dataset TEXT PRIMARY KEY, file TEXT NOT NULL, summary TEXT NOT NULL) STRICT;
   CREATE TABLE tags (
     dataset TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (dataset, name)) STRICT, WITHOUT ROWID;
   CREATE TABLE merges (
     dataset TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
   CREATE TABLE remotes (
     url TEXT PRIMARY KEY, capabilities TEXT NOT NULL) STRICT;
   CREATE TABLE remote_heads (
     url TEXT NOT NULL, dataset TEXT NOT NULL, branch TEXT NOT NULL, version TEXT NOT NULL, sequence INTEGER NOT NULL,
     PRIMARY KEY (url, dataset, branch)) STRICT, WITHOUT ROWID;
   CREATE TABLE remote_versions (
     url TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (url, version)) STRICT, WITHOUT ROWID;
   CREATE TABLE remote_footers (
     url TEXT NOT NULL, pack TEXT NOT NULL, footer BLOB NOT NULL, PRIMARY KEY (url, pack)) STRICT;
   CREATE TABLE sent_packs (
     url TEXT NOT NULL, pack TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (url, pack)) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, dataset TEXT NOT NULL,
     version TEXT NOT NULL, previous TEXT, time TEXT NOT NULL, body TEXT NOT NULL) STRICT;
   CREATE TABLE deliveries (
     event TEXT NOT NULL REFERENCES events(id), sink TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending','delivered','dead')), attempts INTEGER NOT NULL DEFAULT 0,
     next_at INTEGER NOT NULL, first_at INTEGER, claimed_by TEXT, claimed_until INTEGER, last_error TEXT,
     delivered_at INTEGER, PRIMARY KEY (event, sink)) STRICT, WITHOUT ROWID;
   CREATE TABLE disabled_sinks (sink TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
   CREATE TABLE trusted_sinks (fingerprint TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;`,
  `CREATE TABLE head_moves (
     url TEXT NOT NULL, dataset TEXT NOT NULL, branch TEXT NOT NULL, sequence INTEGER NOT NULL, txid TEXT NOT NULL,
     version TEXT NOT NULL, previous TEXT, PRIMARY KEY (url, dataset, branch)) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE filters (
     dataset TEXT PRIMARY KEY, file TEXT NOT NULL, groups INTEGER NOT NULL, capacity INTEGER NOT NULL,
     added INTEGER NOT NULL) STRICT;
   CREATE TABLE filter_versions (
     dataset TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (dataset, version)) STRICT, WITHOUT ROWID;
   CREATE TABLE filter_additions (
     id INTEGER PRIMARY KEY, dataset TEXT NOT NULL, hashes BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
   CREATE INDEX filter_additions_by_dataset ON filter_additions (dataset, id);`,
];

/** File systems on which a write-ahead log loses data: its readers and writers share memory. By magic number. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB',
  0xff534d42: 'SMB',
  0x5346414f: 'AFS',
  0x0bd00bd0: 'Lustre',
  0x47504653: 'GPFS',
  0x00c36400: 'Ceph',
};

/** The network file system that a type of statfs stands for; undefined for all others. */
export function networkFileSystem(type: number): string | undefined {
  return NETWORK_FILE_SYSTEMS[type];
}

/** Opens (and creates or migrates) the catalogue. @throws catalogue-unusable, format-too-new */
export function openDatabase(path: string): Db {
  let db: Db;
  if (path !== ':memory:' && !existsSync(path)) refuseNetwork(path);
  try {
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw unusable(path, error);
  }
  try {
    configure(db, path);
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error instanceof UttrError ? error : unusable(path, error);
  }
}

/** Opens a file for reading what is left of it; undefined where SQLite sees no database in it. */
export function openDamaged(path: string): Db | undefined {
  try {
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return db;
    } catch {
      db.close();
      return undefined;
    }
  } catch {
    return undefined;
  }
}

/** What SQLite's own checks find, and a schema that is not ours, as sentences; none: the file is sound. */
export function findDamage(db: Db): string[] {
  try {
    // SQLite takes any schema for right that it can parse, be it with a column of another name.
    if (schemaOf(db) !== soundSchema()) return ['its tables are not those of a catalogue'];
    const found = db.prepare('PRAGMA integrity_check(20)').pluck().all() as string[];
    const orphans = db.prepare('PRAGMA foreign_key_check').all();
    const sentences = found.filter((line) => line !== 'ok');
    if (orphans.length > 0) sentences.push(`${orphans.length} rows refer to rows that are not there`);
    return sentences;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function schemaOf(db: Db): string {
  return JSON.stringify(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').raw().all());
}

function soundSchema(): string {
  const db = openDatabase(':memory:');
  try {
    return schemaOf(db);
  } finally {
    db.close();
  }
}

function refuseNetwork(path: string): void {
  let name: string | undefined;
  try {
    name = networkFileSystem(statfsSync(dirname(path)).type);
  } catch {
    // What is wrong with the folder shows when the file is opened.
  }
  if (name === undefined) return;
  throw new UttrError('catalogue-unusable', `${path} would lie on a network file system (${name}), which loses data`, {
    hint: 'keep the working copy on a local disk; the remote may lie anywhere',
  });
}

function configure(db: Db, path: string): void {
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal' && path !== ':memory:') {
    throw new UttrError('catalogue-unusable', `SQLite cannot use a write-ahead log for ${path}`, {
      hint: 'the folder may lie on a network file system; keep the working copy on a local disk',
    });
  }
  // In one call: each would be prepared for itself.
  db.exec(
    `PRAGMA synchronous = FULL;
     PRAGMA trusted_schema = OFF;
     PRAGMA cell_size_check = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -32000;
     PRAGMA journal_size_limit = 67108864;`,
  );
}

function migrate(db: Db, path: string): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version === MIGRATIONS.length) return;
  const applicationId = Number(db.pragma('application_id', { simple: true }));
  if (version > MIGRATIONS.length) {
    throw new UttrError('format-too-new', `the catalogue ${path} was written by a newer uttr (schema ${version})`, {
      hint: 'install the newest uttr',
      details: { schema: version, known: MIGRATIONS.length },
    });
  }
  if (version > 0 && applicationId !== APPLICATION_ID) {
    throw new UttrError('catalogue-unusable', `${path} is not a uttr catalogue`);
  }
  for (let step = version; step < MIGRATIONS.length; step++) {
    db.transaction(() => {
      // Another process may have migrated while this one waited for the lock.
      if (Number(db.pragma('user_version', { simple: true })) > step) return;
      db.exec(MIGRATIONS[step] as string);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${step + 1}`);
    }).immediate();
  }
}

function unusable(path: string, cause: unknown): UttrError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const full = /SQLITE_FULL|disk is full/u.test(`${(cause as { code?: string } | undefined)?.code ?? ''} ${reason}`);
  return new UttrError(full ? 'disk-full' : 'catalogue-unusable', `cannot open the catalogue ${path}: ${reason}`, {
    cause,
    hint: full ? 'free some space and run the command again' : 'run: uttr fsck --rebuild-index',
  });
}

/** Turns SQLite's own errors into ours; everything else passes through. */
export function translateSqliteError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') {
    return new UttrError('disk-full', 'the disk is full: the catalogue was not changed', {
      cause: error,
      hint: 'free some space and run the command again',
    });
  }
  if (error.code.startsWith('SQLITE_BUSY')) {
    return new UttrError('catalogue-unusable', 'another uttr process holds the catalogue', {
      cause: error,
      hint: 'wait for it to finish and run the command again',
    });
  }
  if (error.code.startsWith('SQLITE_READONLY')) {
    return new UttrError('access-denied', 'the catalogue cannot be written', { cause: error });
  }
  return new UttrError('catalogue-unusable', `the catalogue failed: ${error.message} (${error.code})`, {
    cause: error,
    hint: 'run: uttr fsck --rebuild-index',
  });
}
