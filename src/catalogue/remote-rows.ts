/** What remotes, by their URL, are known to hold, and what a push of ours has begun there. */
import type { Hash } from '../base/hash.ts';
import type { Statements } from './statements.ts';

export interface RemoteHeadRow {
  readonly dataset: string;
  readonly branch: string;
  readonly version: Hash;
  readonly sequence: number;
}

/** A move of a remote head that was begun here and is not announced yet. */
export interface HeadMoveRow extends RemoteHeadRow {
  readonly txid: string;
  readonly previous: Hash | null;
}

export class RemoteRows {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  setCapabilities(url: string, capabilities: string): void {
    this.#statements.run('INSERT OR REPLACE INTO remotes (url, capabilities) VALUES (?, ?)', url, capabilities);
  }

  capabilities(url: string): string | undefined {
    const row = this.#statements.get('SELECT capabilities FROM remotes WHERE url = ?', url);
    return (row as { capabilities: string } | undefined)?.capabilities;
  }

  setHead(url: string, head: RemoteHeadRow): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO remote_heads (url, dataset, branch, version, sequence) VALUES (?, ?, ?, ?, ?)',
      url,
      head.dataset,
      head.branch,
      head.version,
      head.sequence,
    );
  }

  heads(url: string, dataset: string): RemoteHeadRow[] {
    return this.#statements.all(
      'SELECT dataset, branch, version, sequence FROM remote_heads WHERE url = ? AND dataset = ? ORDER BY branch',
      url,
      dataset,
    ) as RemoteHeadRow[];
  }

  /** Remembers a head's move before it is made, so that an interrupted push can still announce it. */
  setHeadMove(url: string, move: HeadMoveRow): void {
    this.#statements.run(
      `INSERT OR REPLACE INTO head_moves (url, dataset, branch, sequence, txid, version, previous)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      url,
      move.dataset,
      move.branch,
      move.sequence,
      move.txid,
      move.version,
      move.previous,
    );
  }

  headMove(url: string, dataset: string, branch: string): HeadMoveRow | undefined {
    return this.#statements.get(
      `SELECT dataset, branch, sequence, txid, version, previous FROM head_moves
         WHERE url = ? AND dataset = ? AND branch = ?`,
      url,
      dataset,
      branch,
    ) as HeadMoveRow | undefined;
  }

  clearHeadMove(url: string, dataset: string, branch: string): void {
    this.#statements.run('DELETE FROM head_moves WHERE url = ? AND dataset = ? AND branch = ?', url, dataset, branch);
  }

  addVersion(url: string, version: Hash): void {
    this.#statements.run('INSERT OR IGNORE INTO remote_versions (url, version) VALUES (?, ?)', url, version);
  }

  hasVersion(url: string, version: Hash): boolean {
    return this.#statements.exists('SELECT 1 FROM remote_versions WHERE url = ? AND version = ?', url, version);
  }

  /** Forgets everything believed about a remote: it was replaced, emptied, or lied. */
  forget(url: string): void {
    for (const table of ['remotes', 'remote_heads', 'remote_versions', 'remote_footers', 'sent_packs', 'head_moves']) {
      this.#statements.run(`DELETE FROM ${table} WHERE url = ?`, url);
    }
  }

  footer(url: string, pack: string): Buffer | undefined {
    const row = this.#statements.get('SELECT footer FROM remote_footers WHERE url = ? AND pack = ?', url, pack);
    return (row as { footer: Buffer } | undefined)?.footer;
  }

  /** The greatest ULID of the packs whose footers are kept; undefined where none is. */
  newestFooter(url: string): string | undefined {
    const ulid = `substr(pack, ${'packs/d/'.length + 1})`;
    const row = this.#statements.get(`SELECT max(${ulid}) AS newest FROM remote_footers WHERE url = ?`, url);
    return (row as { newest: string | null }).newest ?? undefined;
  }

  /** A pack that a push has sent and no head refers to yet: an interrupted push goes on from there. */
  addSentPack(url: string, pack: string, sizeBytes: number): void {
    this.#statements.run('INSERT OR REPLACE INTO sent_packs (url, pack, bytes) VALUES (?, ?, ?)', url, pack, sizeBytes);
  }

  sentPacks(url: string): { pack: string; sizeBytes: number }[] {
    return this.#statements.all('SELECT pack, bytes AS sizeBytes FROM sent_packs WHERE url = ? ORDER BY pack', url) as {
      pack: string;
      sizeBytes: number;
    }[];
  }

  clearSentPacks(url: string): void {
    this.#statements.run('DELETE FROM sent_packs WHERE url = ?', url);
  }

  setFooter(url: string, pack: string, footer: Buffer): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO remote_footers (url, pack, footer) VALUES (?, ?, ?)',
      url,
      pack,
      footer,
    );
  }
}
