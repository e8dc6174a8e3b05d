/**
 * What this working copy knows: where chunks lie, versions, staged batches, tags, what remotes hold.
 *
 * C4  Everything here except staged batches, tags, merges and the outbox is derived from packs and can be
 *     rebuilt from them.
 * C5  A version, the chunks it stands on, its pointer and its events become visible in one transaction.
 */
import {
  type Hash,
  SHORT_NAME_BYTES,
  shortName,
  type ShortName,
  shortNameFromBytes,
  shortNameToBytes,
} from '../base/hash.ts';
import { type Db, findDamage, openDatabase, translateSqliteError } from './database.ts';
import { FilterRows } from './filter-rows.ts';
import { RemoteRows } from './remote-rows.ts';
import { Statements } from './statements.ts';

/** Chunks looked up, and rows added, by one statement. */
const NAMES_AT_ONCE = 1024;
const ROWS_AT_ONCE = 4096;

const FIND_CHUNKS = `
  SELECT wanted.key, chunks.offset, chunks.length, frames.id,
         packs.name, frames.offset, frames.stored, frames.raw, frames.depth, frames.dictionary
    FROM json_each(?) AS wanted
    CROSS JOIN chunks ON chunks.name = unhex(wanted.value)
    JOIN frames ON frames.id = chunks.frame
    JOIN packs ON packs.id = frames.pack`;
type FrameColumns = [string, number, number, number, number, Buffer | null];

const ADD_FRAMES = `
  INSERT INTO frames (id, pack, offset, stored, raw, depth, dictionary)
    SELECT ? + key, ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(nullif(value ->> 4, ''))
      FROM json_each(?)`;

/** Of several places the least deep one is kept: following those always ends (store invariant P7). */
const ADD_CHUNKS = `
  INSERT INTO chunks (name, frame, offset, length)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
    ON CONFLICT (name) DO UPDATE SET frame = excluded.frame, offset = excluded.offset, length = excluded.length
      WHERE (SELECT depth FROM frames WHERE id = excluded.frame) < (SELECT depth FROM frames WHERE id = chunks.frame)`;

/** Where a frame lies; the same shape as the store's FrameLocation. */
interface FrameRow {
  readonly pack: string;
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly depth: number;
  readonly dictionary: readonly ShortName[];
}

interface ChunkRow {
  readonly frame: FrameRow;
  readonly offset: number;
  readonly length: number;
}

/** A pack to be made known: its frames, and for each chunk the number of its frame. */
export interface PackEntry {
  readonly name: string;
  readonly sizeBytes: number;
  readonly frames: readonly {
    readonly offset: number;
    readonly storedBytes: number;
    readonly rawBytes: number;
    readonly depth: number;
    readonly dictionary: readonly ShortName[];
  }[];
  readonly chunks: readonly {
    readonly name: ShortName;
    readonly frame: number;
    readonly offset: number;
    readonly length: number;
  }[];
}

export interface VersionRow {
  readonly hash: Hash;
  readonly dataset: string;
  readonly time: string;
  /** The manifest as its canonical JSON. */
  readonly manifest: string;
}

/** A pointer that a transaction has decided on and that may not have reached the working tree yet. */
export interface PointerRow {
  readonly dataset: string;
  readonly previous: string | null;
  readonly version: Hash;
  readonly text: string;
}

export interface StagedRow {
  readonly dataset: string;
  readonly file: string;
  /** JSON of the staged summary. */
  readonly summary: string;
}

export class Catalogue {
  readonly db: Db;
  /** What remotes are known to hold. */
  readonly remotes: RemoteRows;
  /** Which groups versions may have. */
  readonly filters: FilterRows;
  readonly #statements: Statements;
  readonly #frames = new Map<number, FrameRow>();
  /** undefined: not looked yet. */
  #isFilled: boolean | undefined;

  constructor(db: Db) {
    this.db = db;
    this.#statements = new Statements(db);
    this.remotes = new RemoteRows(this.#statements);
    this.filters = new FilterRows(this.#statements);
  }

  static open(path: string): Catalogue {
    return new Catalogue(openDatabase(path));
  }

  close(): void {
    try {
      this.db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // A busy checkpoint is no error: the next one does the work.
    }
    this.db.close();
  }

  /** Runs `work` in one IMMEDIATE transaction: all of it happens or nothing. */
  transaction<T>(work: () => T): T {
    try {
      return this.db.transaction(work).immediate();
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  // Chunk index (the store's ChunkIndex).

  has(name: Hash | ShortName): boolean {
    if (this.#knowsNothing()) return false;
    return this.#statements.exists('SELECT 1 FROM chunks WHERE name = ?', shortNameToBytes(shortName(name)));
  }

  find(name: Hash | ShortName): ChunkRow | undefined {
    return this.findMany([name])[0];
  }

  /** Many in one statement: calls and row objects cost several times what the search itself does. */
  findMany(names: readonly (Hash | ShortName)[]): (ChunkRow | undefined)[] {
    const found: (ChunkRow | undefined)[] = Array.from({ length: names.length });
    if (this.#knowsNothing()) return found;
    for (let start = 0; start < names.length; start += NAMES_AT_ONCE) {
      const part = names.slice(start, start + NAMES_AT_ONCE).map((name) => shortName(name));
      for (const row of this.#statements.rows(FIND_CHUNKS, JSON.stringify(part))) {
        const [position, offset, length, id] = row as [number, number, number, number];
        found[start + position] = { frame: this.#frame(id, row.slice(4) as FrameColumns), offset, length };
      }
    }
    return found;
  }

  /** A first import asks for every chunk it makes: there is no need to look where nothing is. */
  #knowsNothing(): boolean {
    // Packs that another process adds meanwhile may be missed: then a chunk is stored twice, which harms nobody.
    this.#isFilled ??= this.hasPacks();
    return !this.#isFilled;
  }

  #frame(id: number, [pack, offset, storedBytes, rawBytes, depth, dictionary]: FrameColumns): FrameRow {
    let frame = this.#frames.get(id);
    if (frame === undefined) {
      frame = { pack, offset, storedBytes, rawBytes, depth, dictionary: splitNames(dictionary) };
      this.#frames.set(id, frame);
    }
    return frame;
  }

  /** Makes packs known. Call inside a transaction; a pack already known is skipped. */
  addPacks(packs: readonly PackEntry[]): void {
    this.#isFilled = undefined;
    for (const pack of packs) this.#addPack(pack);
  }

  #addPack(pack: PackEntry): void {
    if (this.hasPack(pack.name)) return;
    const id = Number(this.#statements.run('INSERT INTO packs (name, bytes) VALUES (?, ?)', pack.name, pack.sizeBytes));
    const [[firstFrame]] = this.#statements.rows('SELECT coalesce(max(id), 0) + 1 FROM frames') as [[number]];
    const frames = pack.frames.map(({ offset, storedBytes, rawBytes, depth, dictionary }) => [
      offset,
      storedBytes,
      rawBytes,
      depth,
      dictionary.join(''),
    ]);
    for (let start = 0; start < frames.length; start += ROWS_AT_ONCE) {
      const part = JSON.stringify(frames.slice(start, start + ROWS_AT_ONCE));
      this.#statements.run(ADD_FRAMES, firstFrame + start, id, part);
    }
    // Ascending keys keep the inserts on neighbouring pages of the B-tree.
    const chunks = pack.chunks
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, frame, offset, length }) => [name, firstFrame + frame, offset, length]);
    for (let start = 0; start < chunks.length; start += ROWS_AT_ONCE) {
      this.#statements.run(ADD_CHUNKS, JSON.stringify(chunks.slice(start, start + ROWS_AT_ONCE)));
    }
  }

  hasPack(name: string): boolean {
    return this.#statements.exists('SELECT 1 FROM packs WHERE name = ?', name);
  }

  /** Whether any pack is known. */
  hasPacks(): boolean {
    return this.#statements.exists('SELECT 1 FROM packs LIMIT 1');
  }

  packs(): { name: string; sizeBytes: number }[] {
    return this.#statements.all('SELECT name, bytes AS sizeBytes FROM packs ORDER BY name') as {
      name: string;
      sizeBytes: number;
    }[];
  }

  /** Forgets where all chunks lie, for a rebuild from the packs. */
  clearIndex(): void {
    this.db.exec(
      `DELETE FROM chunks; DELETE FROM frames; DELETE FROM packs; DELETE FROM versions; DELETE FROM complete_versions;
       DELETE FROM filters; DELETE FROM filter_versions; DELETE FROM filter_additions;`,
    );
    this.#frames.clear();
  }

  /** What SQLite's own checks find wrong with the file. */
  damage(): string[] {
    return findDamage(this.db);
  }

  counts(): { chunks: number; packs: number; versions: number } {
    return this.#statements.get(
      `SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM packs) AS packs,
              (SELECT count(*) FROM versions) AS versions`,
    ) as { chunks: number; packs: number; versions: number };
  }

  // Versions.

  addVersion(row: VersionRow): void {
    this.#statements.run(
      'INSERT OR IGNORE INTO versions (hash, dataset, time, manifest) VALUES (?, ?, ?, ?)',
      row.hash,
      row.dataset,
      row.time,
      row.manifest,
    );
  }

  version(hash: Hash): VersionRow | undefined {
    return this.#statements.get('SELECT hash, dataset, time, manifest FROM versions WHERE hash = ?', hash) as
      | VersionRow
      | undefined;
  }

  /** Versions of a dataset whose hash starts with `prefix`; at most `limit`. */
  versionsByPrefix(dataset: string, prefix: string, limit: number): Hash[] {
    const rows = this.#statements.all(
      'SELECT hash FROM versions WHERE dataset = ? AND hash >= ? AND hash < ? ORDER BY hash LIMIT ?',
      dataset,
      prefix,
      `${prefix}g`,
      limit,
    ) as { hash: Hash }[];
    return rows.map((row) => row.hash);
  }

  versions(): { hash: Hash; dataset: string }[] {
    return this.#statements.all('SELECT hash, dataset FROM versions ORDER BY dataset, time, hash') as {
      hash: Hash;
      dataset: string;
    }[];
  }

  /** Says that all data of a version is here. */
  setComplete(version: Hash): void {
    this.#statements.run('INSERT OR IGNORE INTO complete_versions (version) VALUES (?)', version);
  }

  isComplete(version: Hash): boolean {
    return this.#statements.exists('SELECT 1 FROM complete_versions WHERE version = ?', version);
  }

  /** The newest versions of a dataset whose data is all here. */
  completeVersions(dataset: string, limit: number): Hash[] {
    const rows = this.#statements.all(
      `SELECT hash FROM versions JOIN complete_versions ON version = hash WHERE dataset = ? ORDER BY time DESC LIMIT ?`,
      dataset,
      limit,
    ) as { hash: Hash }[];
    return rows.map((row) => row.hash);
  }

  // Pointers on their way to the working tree.

  setPointer(row: PointerRow): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO pointers (dataset, previous, version, text) VALUES (?, ?, ?, ?)',
      row.dataset,
      row.previous,
      row.version,
      row.text,
    );
  }

  pointer(dataset: string): PointerRow | undefined {
    return this.#statements.get('SELECT dataset, previous, version, text FROM pointers WHERE dataset = ?', dataset) as
      | PointerRow
      | undefined;
  }

  pendingPointers(): PointerRow[] {
    return this.#statements.all(
      'SELECT dataset, previous, version, text FROM pointers ORDER BY dataset',
    ) as PointerRow[];
  }

  clearPointer(dataset: string): void {
    this.#statements.run('DELETE FROM pointers WHERE dataset = ?', dataset);
  }

  // Staged batches.

  setStaged(row: StagedRow): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO staged (dataset, file, summary) VALUES (?, ?, ?)',
      row.dataset,
      row.file,
      row.summary,
    );
  }

  staged(dataset: string): StagedRow | undefined {
    return this.#statements.get('SELECT dataset, file, summary FROM staged WHERE dataset = ?', dataset) as
      | StagedRow
      | undefined;
  }

  allStaged(): StagedRow[] {
    return this.#statements.all('SELECT dataset, file, summary FROM staged ORDER BY dataset') as StagedRow[];
  }

  clearStaged(dataset: string): void {
    this.#statements.run('DELETE FROM staged WHERE dataset = ?', dataset);
  }

  // Tags and merges.

  setTag(dataset: string, name: string, version: Hash): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO tags (dataset, name, version) VALUES (?, ?, ?)',
      dataset,
      name,
      version,
    );
  }

  tag(dataset: string, name: string): Hash | undefined {
    const row = this.#statements.get('SELECT version FROM tags WHERE dataset = ? AND name = ?', dataset, name);
    return (row as { version: Hash } | undefined)?.version;
  }

  tags(dataset: string): { name: string; version: Hash }[] {
    return this.#statements.all('SELECT name, version FROM tags WHERE dataset = ? ORDER BY name', dataset) as {
      name: string;
      version: Hash;
    }[];
  }

  deleteTag(dataset: string, name: string): void {
    this.#statements.run('DELETE FROM tags WHERE dataset = ? AND name = ?', dataset, name);
  }

  setMerge(dataset: string, state: string): void {
    this.#statements.run('INSERT OR REPLACE INTO merges (dataset, state) VALUES (?, ?)', dataset, state);
  }

  merge(dataset: string): string | undefined {
    const row = this.#statements.get('SELECT state FROM merges WHERE dataset = ?', dataset);
    return (row as { state: string } | undefined)?.state;
  }

  merges(): { dataset: string; state: string }[] {
    return this.#statements.all('SELECT dataset, state FROM merges ORDER BY dataset') as {
      dataset: string;
      state: string;
    }[];
  }

  clearMerge(dataset: string): void {
    this.#statements.run('DELETE FROM merges WHERE dataset = ?', dataset);
  }
}

function splitNames(bytes: Buffer | null): ShortName[] {
  if (bytes === null) return [];
  const names: ShortName[] = [];
  for (let at = 0; at < bytes.length; at += SHORT_NAME_BYTES) {
    names.push(shortNameFromBytes(bytes.subarray(at, at + SHORT_NAME_BYTES)));
  }
  return names;
}
