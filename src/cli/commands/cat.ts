import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { parseCount } from '../options.ts';
import { printRecords } from '../records-view.ts';

interface Flags {
  readonly side?: string;
  readonly intent?: string;
  readonly limit?: number;
}

export function registerCat(program: Command, context: CliContext): void {
  program
    .command('cat')
    .description('the records of a version as JSON Lines')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('--side <side>', 'train, test or unlabelled only')
    .option('--intent <name>', 'this intent only')
    .option('--limit <count>', 'at most so many', parseCount)
    .action(async (target: string | undefined, flags: Flags) => {
      await printRecords(context, target, flags, flags.limit);
    });
}
