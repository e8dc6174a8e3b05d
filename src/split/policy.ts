/** Split policies: what makes one valid, and the order in which its sides take their groups. */
import { UttrError } from '../base/errors.ts';
import { isStratumField } from '../records/field.ts';
import { type SplitPolicy, UNLABELLED_PLACE } from '../records/manifest.ts';

/** Sides that a policy may have. */
export const SIDE_LIMIT = 16;
/** Fields that may form strata together. */
export const STRATIFY_LIMIT = 8;
/** UTF-16 code units of a salt. */
export const SALT_LIMIT = 500;
/** Shares may miss a sum of 1 by this much: 0.1 + 0.2 + 0.7 does. */
const SUM_TOLERANCE = 1e-9;

/** Sides name files (`train.jsonl`) on every system. */
const SIDE_NAME = /^[a-z0-9][a-z0-9_-]{0,49}$/u;
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/u;

/** All that is wrong with a policy; empty where it is valid. */
export function checkSplitPolicy(policy: SplitPolicy): string[] {
  return [...checkSides(policy.sides), ...checkSalt(policy.salt), ...checkStratify(policy.stratify)];
}

/** Refuses a policy that is not valid. @throws bad-split */
export function requireSplitPolicy(policy: SplitPolicy): void {
  const problems = checkSplitPolicy(policy);
  if (problems.length === 0) return;
  throw new UttrError('bad-split', `the split is not valid: ${problems.join('; ')}`, {
    hint: 'a split looks like this: "sides": {"train": 0.75, "test": 0.25}',
  });
}

function checkSides(sides: Readonly<Record<string, number>>): string[] {
  const problems: string[] = [];
  const names = Object.keys(sides);
  if (names.length < 2) problems.push('it needs at least two sides');
  if (names.length > SIDE_LIMIT) problems.push(`it has ${names.length} sides, more than ${SIDE_LIMIT}`);
  for (const name of names) {
    if (!SIDE_NAME.test(name) || DEVICE.test(name)) {
      problems.push(`${JSON.stringify(name)} is no name for a side: use small letters, digits, "-" and "_"`);
    } else if (name === UNLABELLED_PLACE || name === 'constructor' || name === 'prototype') {
      problems.push(`"${name}" cannot be the name of a side`);
    }
  }
  const shares = Object.values(sides);
  const isShare = (share: number): boolean => share > 0 && share <= 1;
  if (!shares.every(isShare)) return [...problems, 'every share must lie between 0 and 1'];
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > SUM_TOLERANCE) problems.push(`the shares add up to ${sum}, not to 1`);
  return problems;
}

function checkSalt(salt: string): string[] {
  if (!salt.isWellFormed() || salt.includes('\0')) return ['the salt holds NUL or half of a surrogate pair'];
  return salt.length > SALT_LIMIT ? [`the salt has ${salt.length} characters, more than ${SALT_LIMIT}`] : [];
}

function checkStratify(stratify: readonly string[]): string[] {
  const problems = stratify
    .filter((field) => !isStratumField(field))
    .map((field) => `${JSON.stringify(field)} is no field to stratify by: use intent, lang or features.<name>`);
  if (new Set(stratify).size < stratify.length) problems.push('a field to stratify by is given twice');
  if (stratify.length > STRATIFY_LIMIT) problems.push(`it stratifies by more than ${STRATIFY_LIMIT} fields`);
  return problems;
}

/**
 * The sides from the smallest share up, equal shares by name. This order does not depend on the order in which a
 * file lists the sides. The last one, train as a rule, is where groups go that no other side needs.
 */
export function sideOrder(policy: SplitPolicy): readonly string[] {
  return Object.entries(policy.sides)
    .sort(([a, shareA], [b, shareB]) => shareA - shareB || (a < b ? -1 : 1))
    .map(([side]) => side);
}

/** The sides as people name them: the largest share, train as a rule, first. Documents hold them in the order of their names. */
export function sidesByShare(policy: SplitPolicy): readonly string[] {
  return sideOrder(policy).toReversed();
}

/** Shares in whole billionths, in the order of sideOrder; exact in every language. They add up to 10⁹. */
export function sharesInBillionths(policy: SplitPolicy): readonly bigint[] {
  const order = sideOrder(policy);
  const shares = order.map((side) => BigInt(Math.round((policy.sides[side] as number) * 1e9)));
  const rest = shares.slice(0, -1).reduce((left, share) => left - share, BILLION);
  return [...shares.slice(0, -1), rest];
}

export const BILLION = 1_000_000_000n;
