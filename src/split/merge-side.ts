/** Which side a group is on after a merge of two branches. */
import type { SplitPolicy } from '../records/manifest.ts';
import { sideOrder } from './policy.ts';

export interface MergedSide {
  readonly side: string;
  /** Whether one branch had it elsewhere. Crossed groups are counted in the manifest and listed to the user. */
  readonly crossed: boolean;
}

/**
 * Settles a group that two branches gave a side each: the larger share wins, so train does.
 *
 * A model may have been trained on the group on the other branch; nothing is ever tested on what may have been
 * trained on. The group leaves the smaller side for ever.
 *
 * S7  The result does not depend on which branch is ours, and a merged side merged again stays what it is.
 */
export function mergeSide(policy: SplitPolicy, ours: string, theirs: string): MergedSide {
  if (ours === theirs) return { side: ours, crossed: false };
  const order = sideOrder(policy);
  return { side: order.indexOf(ours) > order.indexOf(theirs) ? ours : theirs, crossed: true };
}
