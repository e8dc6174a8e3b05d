import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addSelectionOptions, editText, readSelection, type SelectionFlags } from '../selection.ts';

interface Flags extends SelectionFlags {
  readonly from?: string;
  readonly to: string;
}

export function registerRelabel(program: Command, context: CliContext): void {
  const command = program
    .command('relabel')
    .description('stage another intent for records; they stay on their side')
    .argument('[dataset]', 'the dataset; the only one by default')
    .option('--from <intent>', 'records that have this intent')
    .requiredOption('--to <intent>', 'the new intent');
  addSelectionOptions(command).action((dataset: string | undefined, flags: Flags) =>
    runRelabel(context, dataset, flags),
  );
}

async function runRelabel(context: CliContext, named: string | undefined, flags: Flags): Promise<void> {
  const { relabelRecords } = await import('../../repo/edit-records.ts');
  const where = { ...flags.where, ...(flags.from === undefined ? {} : { intent: flags.from }) };
  const selection = await readSelection(context, { ...flags, where });
  await context.withRepository(async (repository) => {
    const dataset = named ?? repository.onlyDataset();
    const summary = await relabelRecords(repository, dataset, selection, flags.to, flags.dryRun === true);
    context.reporter.result(summary, () => editText(summary));
  });
}
