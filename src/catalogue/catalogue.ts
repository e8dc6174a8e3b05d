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
import { RemoteRows } from './remote-rows.ts';
import { Statements } from './statements.ts';

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
  readonly #statements: Statements;
  readonly #frames = new Map<number, FrameRow>();
  /** undefined: not looked yet. */
  #isFilled: boolean | undefined;

  constructor(db: Db) {
    this.db = db;
    this.#statements = new Statements(db);
    this.remotes = new RemoteRows(this.#statements);
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
    return this.#statements.get('SELECT 1 FROM chunks WHERE name = ?', shortNameToBytes(shortName(name))) !== undefined;
  }

  find(name: Hash | ShortName): ChunkRow | undefined {
    const row = this.#statements.get(
      'SELECT frame, offset, length FROM chunks WHERE name = ?',
      shortNameToBytes(shortName(name)),
    ) as { frame: number; offset: number; length: number } | undefined;
    if (row === undefined) return undefined;
    return { frame: this.#frame(row.frame), offset: row.offset, length: row.length };
  }

  /** In one transaction: each lookup would else take and drop the readers' lock, which costs more than the search. */
  findMany(names: readonly (Hash | ShortName)[]): (ChunkRow | undefined)[] {
    return this.db.transaction(() => names.map((name) => this.find(name)))();
  }

  /** A first import asks for every chunk it makes: there is no need to look where nothing is. */
  #knowsNothing(): boolean {
    // Packs that another process adds meanwhile may be missed: then a chunk is stored twice, which harms nobody.
    this.#isFilled ??= this.hasPacks();
    return !this.#isFilled;
  }

  #frame(id: number): FrameRow {
    const known = this.#frames.get(id);
    if (known !== undefined) return known;
    const row = this.#statements.get(
      `SELECT packs.name AS pack, offset, stored, raw, depth, dictionary
         FROM frames JOIN packs ON packs.id = frames.pack WHERE frames.id = ?`,
      id,
    ) as { pack: string; offset: number; stored: number; raw: number; depth: number; dictionary: Buffer | null };
    const frame: FrameRow = {
      pack: row.pack,
      offset: row.offset,
      storedBytes: row.stored,
      rawBytes: row.raw,
      depth: row.depth,
      dictionary: splitNames(row.dictionary),
    };
    this.#frames.set(id, frame);
    return frame;
  }

  /** Makes packs known. Call inside a transaction; a pack already known is skipped. */
  addPacks(packs: readonly PackEntry[]): void {
    this.#isFilled = undefined;
    for (const pack of packs) this.#addPack(pack);
  }

  #addPack(pack: PackEntry): void {
    const known = this.#statements.get('SELECT id FROM packs WHERE name = ?', pack.name);
    if (known !== undefined) return;
    const id = Number(this.#statements.run('INSERT INTO packs (name, bytes) VALUES (?, ?)', pack.name, pack.sizeBytes));
    const frameIds = pack.frames.map((frame) =>
      Number(
        this.#statements.run(
          'INSERT INTO frames (pack, offset, stored, raw, depth, dictionary) VALUES (?, ?, ?, ?, ?, ?)',
          id,
          frame.offset,
          frame.storedBytes,
          frame.rawBytes,
          frame.depth,
          frame.dictionary.length === 0 ? null : Buffer.concat(frame.dictionary.map(shortNameToBytes)),
        ),
      ),
    );
    // Ascending keys keep the inserts on neighbouring pages of the B-tree.
    for (const chunk of pack.chunks.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      this.#statements.run(
        // Of several places the least deep one is kept: following those always ends (store invariant P7).
        `INSERT INTO chunks (name, frame, offset, length) VALUES (?, ?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET frame = excluded.frame, offset = excluded.offset, length = excluded.length
           WHERE (SELECT depth FROM frames WHERE id = excluded.frame) < (SELECT depth FROM frames WHERE id = chunks.frame)`,
        shortNameToBytes(chunk.name),
        frameIds[chunk.frame],
        chunk.offset,
        chunk.length,
      );
    }
  }

  hasPack(name: string): boolean {
    return this.#statements.get('SELECT 1 FROM packs WHERE name = ?', name) !== undefined;
  }

  /** Whether any pack is known. */
  hasPacks(): boolean {
    return this.#statements.get('SELECT 1 FROM packs LIMIT 1') !== undefined;
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
      'DELETE FROM chunks; DELETE FROM frames; DELETE FROM packs; DELETE FROM versions; DELETE FROM complete_versions;',
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
    return this.#statements.get('SELECT 1 FROM complete_versions WHERE version = ?', version) !== undefined;
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
