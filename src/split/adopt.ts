/** Which side a file means, where it comes with a split of its own. */
import type { SplitPolicy } from '../records/manifest.ts';
import { sidesByShare } from './policy.ts';

/** Words for the parts of a set that mean the same. */
const TRAIN = new Set(['train', 'training']);
const VALIDATION = new Set(['val', 'valid', 'validation', 'dev', 'development']);

/**
 * The side that a file's name for a part of it stands for, e.g. `oos_train`: the side that is called so, or by another
 * word for the same; else rows for training and validation, which a model is fitted with, go to the side that training
 * uses, and all others to the smallest.
 */
export function sideOfWord(name: string, policy: SplitPolicy): string {
  const order = sidesByShare(policy);
  const whole = name.trim().toLowerCase();
  const words = [whole, ...whole.split(/[^\p{L}\p{N}]+/u)];
  const meaning = [TRAIN, VALIDATION].find((synonyms) => words.some((word) => synonyms.has(word)));
  const called =
    order.find((side) => words.includes(side.toLowerCase())) ?? order.find((side) => meaning?.has(side.toLowerCase()));
  return called ?? ((meaning === undefined ? order.at(-1) : order[0]) as string);
}
