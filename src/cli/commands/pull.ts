import type { Command } from 'commander';
import type { PulledDataset, PullSummary } from '../../repo/pull.ts';
import type { CliContext } from '../context.ts';
import { bytes, oneLine, plural } from '../reporter.ts';
import { changeWords, short } from '../words.ts';

interface Flags {
  readonly remote?: string;
  readonly side?: string;
  readonly latest?: boolean;
}

export function registerPull(program: Command, context: CliContext): void {
  program
    .command('pull')
    .description('fetch the data that the pointers name; merge what others pushed where both sides went on')
    .argument('[dataset...]', 'the datasets; all by default')
    .option('--remote <name>', 'the remote; origin by default')
    .option('--side <side>', 'one side only')
    .option('--latest', "move the pointers forward to the remote's heads, without git")
    .action((datasets: string[], flags: Flags) => runPull(context, datasets, flags, false));
  program
    .command('fetch')
    .description("fetch the data of the remote's heads; pointers stay as they are")
    .argument('[dataset...]', 'the datasets; all by default')
    .option('--remote <name>', 'the remote; origin by default')
    .option('--side <side>', 'one side only')
    .action((datasets: string[], flags: Flags) => runPull(context, datasets, flags, true));
}

async function runPull(context: CliContext, named: string[], flags: Flags, fetchOnly: boolean): Promise<void> {
  const { pull, transferable } = await import('../../repo/pull.ts');
  await context.withRepository(async (repository) => {
    const datasets = named.length > 0 ? named : await transferable(repository);
    const { remote, side, latest } = flags;
    const summary = await pull(repository, { remote, datasets, side, latest, fetchOnly });
    context.reporter.result(summary, () => describe(summary));
  });
}

function describe(summary: PullSummary): string {
  const lines = summary.datasets.map((dataset) => describeDataset(dataset, summary.remote));
  if (lines.length === 0) return `Nothing to fetch: ${summary.remote} has none of these datasets on this branch.`;
  lines.push(
    summary.packs === 0
      ? 'all data was here already'
      : `fetched ${bytes(summary.bytes)} in ${plural(summary.packs, 'pack')}`,
  );
  return lines.join('\n');
}

function describeDataset({ dataset, version, action, merge }: PulledDataset, remote: string): string {
  const name = `${dataset}@${short(version)}`;
  switch (action) {
    case 'up-to-date':
      return `${name}: up to date`;
    case 'fetched':
      return `${name}: fetched, the pointer stays as it is`;
    case 'forwarded':
      return `${name}: the pointer moved forward to ${remote}`;
    case 'behind':
      return `${name}: here; ${remote} has newer versions (git pull brings their pointer, or: uttr pull --latest)`;
    case 'merged': {
      const crossed = merge?.crossedTexts ?? [];
      return [
        `${name}: merged with ${remote}: ${changeWords(merge?.changes ?? { added: 0, relabelled: 0, updated: 0, removed: 0 })}`,
        ...(crossed.length === 0
          ? []
          : [`  ${plural(crossed.length, 'group')} crossed to the training side for good:`]),
        ...crossed.slice(0, 20).map((text) => `    "${oneLine(text)}"`),
        '  next: uttr push; in a git repository, commit the pointer too',
      ].join('\n');
    }
  }
}
