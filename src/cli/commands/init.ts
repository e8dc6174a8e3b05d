import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

export function registerInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('make this folder a uttr project; in git, install the diff and merge drivers')
    .option('--remote <url>', 'a shared store: s3://bucket/prefix, file:///folder or a path')
    .action((flags: { remote?: string }) => runInit(context, flags));
}

async function runInit(context: CliContext, flags: { remote?: string }): Promise<void> {
  const { directory, reporter } = context;
  const { init } = await import('../../repo/init.ts');
  const summary = await init(directory, flags.remote === undefined ? undefined : context.storeUrl(flags.remote));
  if (flags.remote !== undefined && !summary.created.includes('uttr.json')) {
    reporter.warn(
      `uttr.json is there already and stays as it is; to add the remote: uttr remote add origin ${flags.remote}`,
    );
  }
  reporter.result(summary, () => {
    const made =
      summary.created.length === 0 ? 'This is a uttr project already.' : `Made ${summary.created.join(', ')}.`;
    const git = summary.git
      ? 'git diff and git merge show and merge records here.'
      : 'No git repository here: run uttr init again inside one.';
    return `${made}\n${git}\nNext: uttr add <dataset> <file>`;
  });
}
