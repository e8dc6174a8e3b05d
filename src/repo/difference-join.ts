import { type Manifest, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { type Difference, diffTrees } from '../tree/diff.ts';
import { BatchCursor } from './batch-cursor.ts';
import { treeOf } from './record-changes.ts';

/** A record that differs between two versions, wherever it lies in them. */
export interface JoinedDifference extends Difference {
  /** Where it lies in the newer version, or lay in the older one. */
  readonly place: string;
}

const BATCH = 1024;

/**
 * Compares the trees of two versions and brings together, by key, what differs: a record that got a label leaves one
 * tree for another and is still one record.
 */
export class DifferenceJoin {
  readonly #cursors: readonly { readonly place: string; readonly cursor: BatchCursor<Difference> }[];

  constructor(chunks: ChunkSource, from: Manifest, to: Manifest) {
    const places = [...new Set([...Object.keys(to.sides), ...Object.keys(from.sides), UNLABELLED])];
    this.#cursors = places.map((place) => ({
      place,
      cursor: new BatchCursor(diffTrees(chunks, treeOf(from, place), treeOf(to, place))),
    }));
  }

  /** What differs, in key order; a record that only changed its place has equal states. */
  async *run(): AsyncGenerator<readonly JoinedDifference[]> {
    let batch: JoinedDifference[] = [];
    for (;;) {
      for (const { cursor } of this.#cursors) if (cursor.needsFill) await cursor.fill();
      const joined = this.#next();
      if (joined === undefined) break;
      batch.push(joined);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  #next(): JoinedDifference | undefined {
    let key: Buffer | undefined;
    for (const { cursor } of this.#cursors) {
      const { head } = cursor;
      if (head !== undefined && (key === undefined || Buffer.compare(head.key, key) < 0)) ({ key } = head);
    }
    if (key === undefined) return undefined;
    let joined: JoinedDifference | undefined;
    for (const { place, cursor } of this.#cursors) {
      const { head } = cursor;
      if (head?.key.equals(key) !== true) continue;
      cursor.advance();
      joined = joined === undefined ? { ...head, place } : bringTogether(joined, { ...head, place });
    }
    return joined;
  }
}

function bringTogether(a: JoinedDifference, b: JoinedDifference): JoinedDifference {
  const [before, after] = [a.before ?? b.before, a.after ?? b.after];
  return {
    key: a.key,
    place: a.after === undefined ? b.place : a.place,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}
