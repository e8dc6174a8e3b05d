import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { isUttrError, UttrError } from '../../base/errors.ts';
import type { DriverFiles } from '../../repo/git-merge.ts';
import type { CliContext } from '../context.ts';
import { diffText } from '../diff-view.ts';
import { parseCount } from '../options.ts';
import { oneLine, plural } from '../reporter.ts';
import { short } from '../words.ts';

const SHOWN_CHANGES = 20;

/** From 129 on, git takes a driver's exit code for a failure and not for a conflict. */
const MERGE_FAILED = 129;

export function registerGit(program: Command, context: CliContext): void {
  const git = program.command('git').description('the drivers behind git diff and git merge');
  git
    .command('install')
    .description('install the diff and merge drivers in this repository')
    .option('--command <command>', 'how git is to call uttr', 'uttr')
    .action((flags: { command: string }) => runInstall(context, flags.command));
  git
    .command('diff-driver')
    .description('called by git: show what differs between two pointers')
    .argument('<path>')
    .argument('[old-file]', 'not given for a path that waits for a conflict to be settled')
    .argument('[old-hex]')
    .argument('[old-mode]')
    .argument('[new-file]')
    .argument('[rest...]')
    .action((path: string, oldFile?: string, _hex?: string, _mode?: string, newFile?: string) =>
      runDiffDriver(context, path, oldFile, newFile),
    );
  git
    .command('merge-driver')
    .description('called by git: merge the records behind three pointers')
    .argument('<base>')
    .argument('<ours>')
    .argument('<theirs>')
    .argument('<path>')
    .argument('[marker-size]', "length of git's conflict markers", parseCount, 7)
    .action((base: string, ours: string, theirs: string, path: string, markerSize: number) =>
      runMergeDriver(context, { base, ours, theirs, path, markerSize }),
    );
}

async function runInstall(context: CliContext, command: string): Promise<void> {
  const { installDrivers } = await import('../../repo/git-drivers.ts');
  const { Git } = await import('../../repo/git.ts');
  const { requireRoot } = await import('../../repo/working-copy.ts');
  const root = requireRoot(context.directory);
  const result = await installDrivers(root, new Git(root), command);
  if (!result.installed) {
    throw new UttrError('git-failed', `${root} is not in a git repository`, { hint: 'run: git init' });
  }
  context.reporter.result(result, () => 'git diff and git merge show and merge records here.');
}

/** Git takes any exit code but 0 for a crash, so what cannot be shown as rows is shown as the pointer's text. */
async function runDiffDriver(
  context: CliContext,
  path: string,
  oldFile: string | undefined,
  newFile: string | undefined,
): Promise<void> {
  const { diffVersions } = await import('../../repo/diff.ts');
  const { pointedVersions } = await import('../../repo/git-diff.ts');
  const { reporter } = context;
  const title = `uttr diff ${oneLine(path)}`;
  if (oldFile === undefined || newFile === undefined) {
    await reporter.write(`${title}\n(waits for a merge to be settled; see: uttr status)\n`);
    return;
  }
  try {
    await context.withRepository(
      async (repository) => {
        const { from, to, dataset } = await pointedVersions(repository, path, oldFile, newFile);
        if (to === undefined) {
          await reporter.write(
            `${title}\n${dataset}: the pointer was removed${from === undefined ? '' : ` (it named ${short(from.hash)})`}\n`,
          );
          return;
        }
        const diff = await diffVersions(repository, from, to, {}, SHOWN_CHANGES);
        await reporter.write(`${title}\n${diffText(diff, reporter, false)}\n`);
      },
      dirname(context.resolve(path)),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await reporter.write(`${title}\n(rows cannot be shown: ${oneLine(reason, 300)})\n`);
    for (const [sign, file] of [
      ['-', oldFile],
      ['+', newFile],
    ] as const) {
      const text = file === '/dev/null' ? '' : await readFile(file, 'utf8').catch(() => '');
      for (const line of text.split('\n').filter((one) => one !== ''))
        await reporter.write(`${sign}${oneLine(line, 400)}\n`);
    }
  }
}

async function runMergeDriver(context: CliContext, files: DriverFiles): Promise<void> {
  const merge = await import('../../repo/git-merge.ts');
  const { reporter } = context;
  try {
    await context.withRepository(
      async (repository) => {
        const result = await merge.runMergeDriver(repository, {
          ...files,
          base: context.resolve(files.base),
          ours: context.resolve(files.ours),
          theirs: context.resolve(files.theirs),
        });
        reporter.note(`uttr: merged the records of ${result.dataset} into ${short(result.version)}`);
        if (result.crossedTexts.length > 0) {
          reporter.note(`uttr: ${plural(result.crossedTexts.length, 'group')} crossed to the training side for good:`);
          for (const text of result.crossedTexts.slice(0, 20)) reporter.note(`  "${oneLine(text)}"`);
        }
      },
      dirname(context.resolve(files.path)),
    );
  } catch (error) {
    if (!isUttrError(error, 'merge-conflict')) {
      reporter.error(error instanceof UttrError ? error : new UttrError('internal', String(error), { cause: error }));
      // Nothing was merged: git must stop, not take our side for a conflict with markers.
      context.exitCode = MERGE_FAILED;
      return;
    }
    reporter.error(error);
    // Git reads 1 as "there is a conflict": the path stays unmerged until it is settled.
    context.exitCode = 1;
  }
}
