import type { Manifest } from '../records/manifest.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { Entry } from '../tree/lines.ts';
import { TreeReader } from '../tree/reader.ts';
import { BatchCursor } from './batch-cursor.ts';
import { type ListedChange, parseChangeEntry } from './change-entry.ts';
import { DifferenceJoin } from './difference-join.ts';
import { type ChangeCounts, changeKind, noChanges } from './group-state.ts';
import { groupPrefix } from './version-counts.ts';

/** Groups that differ from the parent are looked up one by one up to this number; beyond, everything is read. */
const TOUCHED_LIMIT = 100_000;

/** What really differs between a version and its parent. */
export interface FoundChanges {
  readonly counts: ChangeCounts;
  /** Whether the version's list of changes, where it has one, names just these. */
  readonly isListed: boolean;
  /** Prefixes of the groups that differ, ascending; undefined where they are too many. */
  readonly touched: Buffer[] | undefined;
}

/** Compares the trees of two versions, and what is found with the list that the newer one has. */
export async function findChanges(chunks: ChunkSource, parent: Manifest, manifest: Manifest): Promise<FoundChanges> {
  const { list } = manifest.changes;
  const listed = list === null ? undefined : new BatchCursor(new TreeReader(chunks, list).scan());
  const counts = noChanges();
  let isListed = true;
  let touched: Buffer[] | undefined = [];
  for await (const batch of new DifferenceJoin(chunks, parent, manifest).run()) {
    for (const { key, before, after, place } of batch) {
      touched = touch(touched, groupPrefix(key));
      const kind = changeKind(before?.toString('utf8'), after?.toString('utf8'));
      // A merge may move a group to another side; its records are the same.
      if (kind === undefined) continue;
      counts[kind]++;
      if (listed === undefined || !isListed) continue;
      if (listed.needsFill) await listed.fill();
      isListed = isEntry(listed.head, key, {
        side: place,
        before: before?.toString('utf8'),
        after: after?.toString('utf8'),
      });
      listed.advance();
    }
  }
  await listed?.fill();
  return { counts, isListed: isListed && listed?.head === undefined, touched };
}

/** Adds a group that comes in order; undefined once they are too many. */
function touch(touched: Buffer[] | undefined, prefix: Buffer): Buffer[] | undefined {
  if (touched === undefined || touched.at(-1)?.equals(prefix) === true) return touched;
  touched.push(Buffer.from(prefix));
  return touched.length > TOUCHED_LIMIT ? undefined : touched;
}

function isEntry(entry: Entry | undefined, key: Buffer, change: ListedChange): boolean {
  if (entry === undefined || !entry.key.equals(key)) return false;
  const { side, before, after } = parseChangeEntry(key, entry.value);
  return side === change.side && before === change.before && after === change.after;
}
