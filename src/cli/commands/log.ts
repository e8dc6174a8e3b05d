import { type Command } from 'commander';
import type { LogEntry } from '../../repo/log.ts';
import type { CliContext } from '../context.ts';
import { oneLine, type Reporter, thousands } from '../reporter.ts';
import { changeWords, short, when } from '../words.ts';
import { parseCount } from '../options.ts';

interface Flags {
  readonly limit: number;
}

export function registerLog(program: Command, context: CliContext): void {
  program
    .command('log')
    .description('the versions of a dataset, newest first')
    .argument('[dataset[@version]]', 'where to start; HEAD by default')
    .option('-n, --limit <count>', 'at most so many', parseCount, 50)
    .action((target: string | undefined, flags: Flags) => runLog(context, target, flags));
}

async function runLog(context: CliContext, name: string | undefined, flags: Flags): Promise<void> {
  const { log } = await import('../../repo/log.ts');
  await context.withRepository(async (repository) => {
    const result = await log(repository, name, flags.limit);
    context.reporter.result(result, () => result.versions.map((entry) => describe(entry, context.reporter)).join('\n'));
  });
}

function describe(entry: LogEntry, reporter: Reporter): string {
  const tags = entry.tags.length === 0 ? '' : ` ${reporter.style('cyan', `(${entry.tags.join(', ')})`)}`;
  const merge = entry.parents.length > 1 ? ' merge' : '';
  return [
    `${reporter.style('yellow', short(entry.version))}${tags}  ${when(entry.time)}  ${oneLine(entry.author, 60)}${merge}`,
    `    ${oneLine(entry.message)}`,
    `    ${thousands(entry.rows)} rows; ${changeWords(entry.changes)}`,
  ].join('\n');
}
