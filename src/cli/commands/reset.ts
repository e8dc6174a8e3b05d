import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

export function registerReset(program: Command, context: CliContext): void {
  program
    .command('reset')
    .description('drop what is staged')
    .argument('[dataset]', 'the dataset; the only one by default')
    .action((dataset: string | undefined) => runReset(context, dataset));
}

async function runReset(context: CliContext, named: string | undefined): Promise<void> {
  const { reset } = await import('../../repo/status.ts');
  await context.withRepository(async (repository) => {
    const dataset = named ?? repository.onlyDataset();
    const dropped = await reset(repository, dataset);
    context.reporter.result({ dataset, dropped }, () =>
      dropped ? `Dropped what was staged for ${dataset}.` : `Nothing was staged for ${dataset}.`,
    );
  });
}
