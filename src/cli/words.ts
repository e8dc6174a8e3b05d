/** Phrases that several commands use. */
import { percent } from '../base/percent.ts';
import type { Interval } from '../evaluation/intervals.ts';
import { thousands } from './reporter.ts';

interface Counts {
  readonly added: number;
  readonly relabelled: number;
  readonly updated: number;
  readonly removed: number;
  readonly edited?: number;
}

/** "12 added, 3 relabelled"; "nothing" when all are zero. */
export function changeWords(counts: Counts): string {
  const words = (['added', 'relabelled', 'edited', 'updated', 'removed'] as const)
    .filter((kind) => (counts[kind] ?? 0) > 0)
    .map((kind) => `${thousands(counts[kind] ?? 0)} ${kind}`);
  return words.length === 0 ? 'nothing' : words.join(', ');
}

/** The first digits of a hash, as people quote it. */
export function short(hash: string): string {
  return hash.slice(0, 12);
}

/** `train 17 775 (75.0 %)  test 5 925 (25.0 %)`. */
export function sideWords(sides: Readonly<Record<string, number>>): string {
  const total = Object.values(sides).reduce((sum, count) => sum + count, 0);
  return Object.entries(sides)
    .map(([side, count]) => `${side} ${thousands(count)} (${percent(total === 0 ? 0 : count / total)})`)
    .join('  ');
}

/** Both ends in percent: `[92.1, 100.0]`. */
export function intervalWords([low, high]: Interval): string {
  return `[${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
}

/** A time as people read it, in UTC: `2026-11-23 06:12`. */
export function when(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)}`;
}
