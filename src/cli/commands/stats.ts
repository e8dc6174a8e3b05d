import type { Command } from 'commander';
import type { VersionStats } from '../../repo/query.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural, table, thousands } from '../reporter.ts';
import { short, sideWords } from '../words.ts';

export function registerStats(program: Command, context: CliContext): void {
  program
    .command('stats')
    .description('counts and balance of a version: rows, sides, intents, distance from the ideal split')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .action((target: string | undefined) => runStats(context, target));
}

async function runStats(context: CliContext, target: string | undefined): Promise<void> {
  const { versionStats } = await import('../../repo/query.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const stats = versionStats(version);
    context.reporter.result(stats, () => describe(stats));
  });
}

function describe(stats: VersionStats): string {
  const sides = Object.keys(stats.sides);
  const intents = Object.entries(stats.intents)
    .sort(([, a], [, b]) => b.rows - a.rows)
    .map(([intent, counts]) => [
      oneLine(intent, 60),
      thousands(counts.rows),
      ...sides.map((side) => thousands(counts[side] ?? 0)),
    ]);
  const lines = [
    `${stats.dataset}@${short(stats.version)}: ${plural(stats.rows, 'row')} in ${plural(stats.groups, 'group')}`,
    `${sideWords(stats.sides)}  ${stats.crossed} crossed${stats.unlabelled === 0 ? '' : `  unlabelled ${thousands(stats.unlabelled)}`}`,
    '',
    numbers([['intent', 'rows', ...sides], ...intents]),
    '',
    ...balanceLines(stats, sides),
  ];
  return lines.join('\n');
}

/** The split is after groups, not rows: how far each stratum is from its share of the smallest side. */
function balanceLines(stats: VersionStats, sides: readonly string[]): string[] {
  const smallest = sides.at(-1) ?? '';
  const rows = stats.strata
    .toSorted((a, b) => b.groups - a.groups)
    .map(({ stratum, groups, sides: counts }) => [
      oneLine(stratum, 60),
      thousands(groups),
      ...sides.map((side) => thousands(counts[side]?.groups ?? 0)),
      signed(counts[smallest]?.deviation ?? 0),
    ]);
  return [numbers([['stratum', 'groups', ...sides, `${smallest} off ideal`], ...rows])];
}

/** One decimal with its sign; "0.0" has none. */
function signed(deviation: number): string {
  const shown = deviation.toFixed(1);
  return /^-?0\.0$/u.test(shown) ? '0.0' : deviation > 0 ? `+${shown}` : shown;
}

/** A table whose first column is a name and whose others are numbers. */
function numbers(rows: readonly (readonly string[])[]): string {
  return table(
    rows,
    (rows[0] ?? []).map((_, index) => index > 0),
  );
}
