/**
 * Two orders of groups, which differ only where a text holds control characters.
 *
 * Keys begin with a group's folded text and a TAB, so groups of records lie in the order of text and TAB. The tree
 * of retired groups has the folded text alone as its key. "a" and "a" with a U+0001 behind it lie one way round
 * here and the other way round there.
 */
import type { Edit } from '../tree/edit.ts';

const TAB = 9;

/** Compares folded texts as the keys of their records lie. */
export function compareGroups(a: Buffer, b: Buffer): number {
  const shared = Math.min(a.length, b.length);
  const order = a.compare(b, 0, shared, 0, shared);
  if (order !== 0 || a.length === b.length) return order;
  return a.length < b.length ? TAB - (b[shared] as number) : (a[shared] as number) - TAB;
}

/** Edits of the tree of retired groups, from the order of keys into its own. */
export async function* inRetiredOrder(batches: AsyncIterable<readonly Edit[]>): AsyncIterable<readonly Edit[]> {
  // Only a text with a character below TAB may have to wait, and no longer than to the next text without one.
  let waiting: Edit[] = [];
  for await (const batch of batches) {
    const ordered: Edit[] = [];
    for (const edit of batch) {
      waiting.push(edit);
      if (edit.key.some((byte) => byte < TAB)) continue;
      ordered.push(...sorted(waiting));
      waiting = [];
    }
    if (ordered.length > 0) yield ordered;
  }
  if (waiting.length > 0) yield sorted(waiting);
}

function sorted(edits: Edit[]): Edit[] {
  return edits.length === 1 ? edits : edits.sort((a, b) => Buffer.compare(a.key, b.key));
}
