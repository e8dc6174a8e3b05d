import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addSelectionOptions, editText, readSelection, type SelectionFlags } from '../selection.ts';

export function registerRemove(program: Command, context: CliContext): void {
  const command = program
    .command('remove')
    .description('stage the removal of records')
    .argument('[dataset]', 'the dataset; the only one by default');
  addSelectionOptions(command).action((dataset: string | undefined, flags: SelectionFlags) =>
    runRemove(context, dataset, flags),
  );
}

async function runRemove(context: CliContext, named: string | undefined, flags: SelectionFlags): Promise<void> {
  const { removeRecords } = await import('../../repo/edit-records.ts');
  const selection = await readSelection(context, flags);
  await context.withRepository(async (repository) => {
    const summary = await removeRecords(
      repository,
      named ?? repository.onlyDataset(),
      selection,
      flags.dryRun === true,
    );
    context.reporter.result(summary, () => editText(summary));
  });
}
