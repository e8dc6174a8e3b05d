import type { Command } from 'commander';
import type { VersionStats } from '../../repo/query.ts';
import type { CliContext } from '../context.ts';
import { oneLine, table, thousands } from '../reporter.ts';
import { short, sideOrder, sideWords } from '../words.ts';

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
  const sides = sideOrder(Object.keys(stats.sides));
  const smallest = sides.toSorted((a, b) => (stats.ideal[a] ?? 0) - (stats.ideal[b] ?? 0))[0] ?? '';
  const header = ['intent', 'rows', ...sides, `${smallest} off ideal`];
  const rows = Object.entries(stats.intents)
    .sort(([, a], [, b]) => b.rows - a.rows)
    .map(([intent, counts]) => {
      const off = (counts[smallest] ?? 0) - counts.rows * (stats.ideal[smallest] ?? 0);
      return [
        oneLine(intent, 60),
        thousands(counts.rows),
        ...sides.map((side) => thousands(counts[side] ?? 0)),
        off.toFixed(1),
      ];
    });
  const lines = [
    `${stats.dataset}@${short(stats.version)}: ${thousands(stats.rows)} rows in ${thousands(stats.groups)} groups`,
    `${sideWords(stats.sides)}  ${stats.crossed} crossed${stats.unlabelled === 0 ? '' : `  unlabelled ${thousands(stats.unlabelled)}`}`,
    '',
    table(
      [header, ...rows],
      header.map((_, index) => index > 0),
    ),
  ];
  return lines.join('\n');
}
