import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  findDamage,
  networkFileSystem,
  openDamaged,
  openDatabase,
  translateSqliteError,
} from '../../src/catalogue/database.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'catalogue', 'database.ts');

const freshPath = (): string => join(temporaryDirectory(), 'catalogue.db');

/** The code of the error that `work` throws. */
function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

describe('opening', () => {
  test('C1: every connection has a write-ahead log and full syncs', () => {
    const path = freshPath();
    for (let time = 0; time < 2; time++) {
      const db = openDatabase(path);
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
      expect(db.pragma('trusted_schema', { simple: true })).toBe(0);
      db.close();
    }
  });

  test('C2: migrations run once, and mark the file as ours', () => {
    const path = freshPath();
    const first = openDatabase(path);
    const version = first.pragma('user_version', { simple: true });
    expect(version).toBeGreaterThan(0);
    expect(first.pragma('application_id', { simple: true })).toBe(0x75_74_74_72);
    first.exec("INSERT INTO tags (dataset, name, version) VALUES ('d', 'n', 'v')");
    first.close();
    const second = openDatabase(path);
    expect(second.pragma('user_version', { simple: true })).toBe(version);
    expect(second.prepare('SELECT count(*) FROM tags').pluck().get()).toBe(1);
    second.close();
  });

  test('C2: an empty file, as an opening that was cut short leaves it, becomes a catalogue', () => {
    const path = freshPath();
    writeFileSync(path, '');
    openDamaged(path)?.close();
    const db = openDatabase(path);
    expect(findDamage(db)).toEqual([]);
    expect(db.prepare('SELECT count(*) FROM packs').pluck().get()).toBe(0);
    db.close();
  });

  test('C3: a file of a newer schema is refused and stays as it is', () => {
    const path = freshPath();
    const db = openDatabase(path);
    db.pragma('user_version = 999');
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const before = readFileSync(path);
    expect(codeOf(() => openDatabase(path))).toBe('format-too-new');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('a database of another program is refused', () => {
    const path = freshPath();
    const db = openDatabase(path);
    db.pragma('application_id = 7');
    db.pragma('user_version = 1');
    db.close();
    expect(codeOf(() => openDatabase(path))).toBe('catalogue-unusable');
  });

  test('what is no database, or a folder, is unusable and says how to go on', () => {
    const path = freshPath();
    writeFileSync(path, 'not a database, and long enough to be looked at '.repeat(40));
    expect(() => openDatabase(path)).toThrow(
      expect.objectContaining({ code: 'catalogue-unusable', hint: 'run: uttr fsck --rebuild-index' }),
    );
    expect(openDamaged(path)).toBeUndefined();
    expect(openDamaged(join(path, 'absent'))).toBeUndefined();
    expect(codeOf(() => openDatabase(temporaryDirectory()))).toBe('catalogue-unusable');
  });

  test('C6: a catalogue is not begun on a network file system', () => {
    expect(networkFileSystem(0x6969)).toBe('NFS');
    expect(networkFileSystem(0xff534d42)).toBe('SMB');
    expect(networkFileSystem(0xef53)).toBeUndefined();
  });
});

describe('errors', () => {
  test('Promise 6: a full disk is told from other failures, and the transaction leaves nothing', () => {
    const db = openDatabase(freshPath());
    db.pragma(`max_page_count = ${String(db.pragma('page_count', { simple: true }))}`);
    const insert = db.prepare('INSERT INTO merges (dataset, state) VALUES (?, ?)');
    const fill = db.transaction(() => {
      for (let row = 0; row < 10_000; row++) insert.run(`d${row}`, 'x'.repeat(1000));
    });
    let thrown: unknown;
    try {
      fill.immediate();
    } catch (error) {
      thrown = translateSqliteError(error);
    }
    expect(thrown).toMatchObject({ code: 'disk-full', kind: 'unavailable' });
    expect(db.prepare('SELECT count(*) FROM merges').pluck().get()).toBe(0);
    db.close();
  });

  test('a connection that may only read is an access that is denied', () => {
    const db = openDatabase(freshPath());
    db.pragma('query_only = ON');
    let thrown: unknown;
    try {
      db.exec("INSERT INTO merges (dataset, state) VALUES ('d', 's')");
    } catch (error) {
      thrown = translateSqliteError(error);
    }
    expect(thrown).toMatchObject({ code: 'access-denied' });
    db.close();
  });

  test('damage is described, whatever it hits', () => {
    const path = freshPath();
    const db = openDatabase(path);
    db.transaction(() => {
      for (let row = 0; row < 2000; row++) db.prepare('INSERT INTO tags VALUES (?, ?, ?)').run('d', `tag-${row}`, 'v');
    })();
    expect(findDamage(db)).toEqual([]);
    db.pragma('foreign_keys = OFF');
    db.exec("INSERT INTO deliveries (event, sink, state, next_at) VALUES ('gone', 'a', 'pending', 0)");
    expect(findDamage(db)).toEqual(['1 rows refer to rows that are not there']);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, bytes.length - 8192);
    writeFileSync(path, bytes);
    const damaged = openDatabase(path);
    expect(findDamage(damaged).length).toBeGreaterThan(0);
    damaged.close();
    rmSync(path);
  });
});

describe('two processes', () => {
  /** Runs a script in a process of its own that has the database open as `db`. */
  function inProcess(path: string, script: string): Promise<string> {
    const program = `import { openDatabase } from ${JSON.stringify(SOURCE)}; const db = openDatabase(${JSON.stringify(path)}); ${script}; db.close();`;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes: Buffer) => void (output += bytes.toString()));
      child.on('error', reject);
      child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
    });
  }

  test('open, migrate and write at once: nobody is turned away, and nothing is lost', async () => {
    const path = freshPath();
    const script = `const insert = db.prepare('INSERT INTO tags VALUES (?, ?, ?)');
      for (let row = 0; row < 100; row++) db.transaction(() => insert.run('d', process.pid + '-' + row, 'v')).immediate()`;
    await Promise.all([1, 2, 3].map(() => inProcess(path, script)));
    const db = openDatabase(path);
    expect(db.prepare('SELECT count(*) FROM tags').pluck().get()).toBe(300);
    expect(findDamage(db)).toEqual([]);
    db.close();
  });

  test('a writer that waits too long is told that another process holds the catalogue', async () => {
    const path = freshPath();
    const holder = openDatabase(path);
    holder.exec('BEGIN IMMEDIATE');
    const other = openDatabase(path);
    other.pragma('busy_timeout = 20');
    let thrown: unknown;
    try {
      other.transaction(() => other.exec("INSERT INTO tags VALUES ('d', 'n', 'v')")).immediate();
    } catch (error) {
      thrown = translateSqliteError(error);
    }
    expect(thrown).toMatchObject({ code: 'catalogue-unusable', message: 'another uttr process holds the catalogue' });
    holder.exec('ROLLBACK');
    holder.close();
    other.close();
  });
});
