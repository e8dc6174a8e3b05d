/**
 * The constants that decide where chunks end. They live in a store's format.json and never change in place:
 * trees made with other constants have other roots.
 */
import { assert } from '../base/errors.ts';

export interface TreeParameters {
  /** Raw bytes a leaf has on average; a power of two is customary, not needed. */
  readonly leafTarget: number;
  /** Raw bytes a node has on average, its header not counted. */
  readonly nodeTarget: number;
  /** One entry in so many is an anchor. */
  readonly anchorDenominator: number;
}

/** The constants of format 1. */
export const FORMAT_1_PARAMETERS: TreeParameters = { leafTarget: 8192, nodeTarget: 8192, anchorDenominator: 16384 };

/** Sizes beyond it would make the boundary's arithmetic inexact. */
export const TARGET_LIMIT = 1 << 20;

/** Asserts that the arithmetic of the boundary is exact for these constants. */
export function assertParameters(parameters: TreeParameters): void {
  for (const target of [parameters.leafTarget, parameters.nodeTarget]) {
    assert(Number.isSafeInteger(target) && target >= 16 && target <= TARGET_LIMIT, 'a chunk target is from 16 to 2^20');
  }
  const denominator = parameters.anchorDenominator;
  assert(
    Number.isSafeInteger(denominator) && denominator >= 1 && denominator <= 2 ** 32,
    'an anchor is one in 1 to 2^32',
  );
}
