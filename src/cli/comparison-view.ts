import { percent } from '../base/percent.ts';
import type { Comparison, Paired, Share } from '../evaluation/compare.ts';
import type { KeptEvaluation } from '../repo/record-evaluation.ts';
import { oneLine, plural, table, thousands } from './reporter.ts';
import { short } from './words.ts';

/** Intents shown: those with the most rows that changed. */
const SHOWN = 10;
/** Below this, chance is no good explanation. */
const SIGNIFICANT = 0.05;

/** What `eval compare` prints. */
export function comparisonText(before: KeptEvaluation, after: KeptEvaluation, comparison: Comparison): string {
  const { common, change, added, gone, relabelled } = comparison;
  const rows = [
    ['', 'rows', 'before', 'after', 'change'],
    [
      'all',
      rowsOf(comparison.before, comparison.after),
      share(comparison.before),
      share(comparison.after),
      points(change?.whole),
    ],
    ['same rows', thousands(common.rows), share(common.before), share(common.after), points(change?.model)],
    ['new rows', thousands(added.rows), '', share(added), ''],
    ['gone rows', thousands(gone.rows), share(gone), '', ''],
  ];
  const lines = [
    `${nameOf(before)} → ${nameOf(after)}`,
    '',
    table(rows, [false, true, true, true, true]),
    '',
    verdict(common),
  ];
  if (change !== undefined)
    lines.push(`The data changed ${points(change.data)}: rows that are new, gone or relabelled.`);
  if (relabelled > 0) lines.push(`${plural(relabelled, 'row')} relabelled in between, counted in "all" only.`);
  return [...lines, ...intentLines(comparison)].join('\n');
}

function verdict({ rows, onlyBefore, onlyAfter, p }: Paired): string {
  if (rows === 0) return 'The test sides have no row in common: nothing can be said of the model alone.';
  const counts = `${thousands(onlyAfter)} mended, ${thousands(onlyBefore)} broken`;
  if (p >= SIGNIFICANT) return `The model: ${counts}; that may be chance (McNemar p = ${p.toFixed(3)}).`;
  const what = onlyAfter > onlyBefore ? 'better' : 'worse';
  return `The model: ${counts}; significantly ${what} (McNemar p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}).`;
}

function intentLines({ intents }: Comparison): string[] {
  const rows = Object.entries(intents)
    .filter(([, { onlyBefore, onlyAfter }]) => onlyBefore + onlyAfter > 0)
    .sort(([, a], [, b]) => b.onlyBefore + b.onlyAfter - a.onlyBefore - a.onlyAfter)
    .slice(0, SHOWN)
    .map(([name, pair]) => [
      oneLine(name, 40),
      thousands(pair.rows),
      share(pair.before),
      share(pair.after),
      thousands(pair.onlyAfter),
      thousands(pair.onlyBefore),
      pair.p.toFixed(3),
    ]);
  if (rows.length === 0) return [];
  const header = ['same rows, by intent', 'rows', 'before', 'after', 'mended', 'broken', 'p'];
  return ['', table([header, ...rows], [false, true, true, true, true, true, true])];
}

function nameOf({ model, dataset, version }: KeptEvaluation): string {
  return `${oneLine(model, 40)} on ${dataset}@${short(version)}`;
}

function rowsOf(before: Share, after: Share): string {
  return before.rows === after.rows ? thousands(after.rows) : `${thousands(before.rows)} → ${thousands(after.rows)}`;
}

function share({ accuracy }: Share): string {
  return accuracy === undefined ? '–' : percent(accuracy);
}

/** A difference of shares, in points, with its sign. */
function points(difference: number | undefined): string {
  if (difference === undefined) return '';
  const value = difference * 100;
  return `${value > 0 ? '+' : ''}${value.toFixed(1).replace(/^-0\.0$/u, '0.0')} points`;
}
