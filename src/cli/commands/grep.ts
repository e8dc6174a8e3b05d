import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { parseCount } from '../options.ts';
import { printRecords } from '../records-view.ts';

interface Flags {
  readonly side?: string;
  readonly intent?: string;
  readonly limit?: number;
  readonly regex?: boolean;
}

export function registerGrep(program: Command, context: CliContext): void {
  program
    .command('grep')
    .description('records whose text holds some words, as JSON Lines; ends with 1 when there are none')
    .argument('<text>', 'what to look for; case, spacing and Unicode variants do not matter')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('--regex', 'the text is a regular expression')
    .option('--side <side>', 'train, test or unlabelled only')
    .option('--intent <name>', 'this intent only')
    .option('--limit <count>', 'at most so many', parseCount)
    .action((text: string, target: string | undefined, flags: Flags) => runGrep(context, text, target, flags));
}

async function runGrep(context: CliContext, text: string, target: string | undefined, flags: Flags): Promise<void> {
  const found = await printRecords(context, target, { ...flags, text }, flags.limit);
  if (found === 0) context.exitCode = 1;
}
