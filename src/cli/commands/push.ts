import type { Command } from 'commander';
import type { TransferSummary } from '../../repo/push.ts';
import type { CliContext } from '../context.ts';
import { deliverAfter, deliverPushed } from '../delivery.ts';
import { bytes, plural } from '../reporter.ts';
import { short } from '../words.ts';

interface Flags {
  readonly remote?: string;
}

export function registerPush(program: Command, context: CliContext): void {
  program
    .command('push')
    .description('send versions to a remote and move the head of this branch')
    .argument('[dataset...]', 'the datasets; all by default')
    .option('--remote <name>', 'the remote; origin by default')
    .action((datasets: string[], flags: Flags) => runPush(context, datasets, flags));
}

async function runPush(context: CliContext, named: string[], flags: Flags): Promise<void> {
  const { push } = await import('../../repo/push.ts');
  const { transferable } = await import('../../repo/pull.ts');
  await context.withRepository(async (repository) => {
    for (const name of named) repository.dataset(name);
    const datasets = named.length > 0 ? named : await transferable(repository);
    const summary = await push(repository, flags.remote, datasets);
    context.reporter.result(summary, () => describe(summary));
    for (const { warnings } of summary.datasets) for (const warning of warnings) context.reporter.warn(warning);
    await deliverAfter(context, repository);
    await deliverPushed(context, repository, summary.remote);
  });
}

function describe(summary: TransferSummary): string {
  const lines = summary.datasets.map(({ dataset, branch, version, moved, versions, note }) => {
    if (!moved) return `${dataset}@${short(version)}: ${note ?? `${summary.remote} has it already`}`;
    return `${dataset}@${short(version)} → ${summary.remote}/${branch}: ${plural(versions, 'version')}`;
  });
  if (lines.length === 0) return 'Nothing to push: no dataset has a version yet.';
  if (summary.packs > 0) lines.push(`sent ${bytes(summary.bytes)} in ${plural(summary.packs, 'pack')}`);
  return lines.join('\n');
}
