import type { Command } from 'commander';
import type { FsckReport } from '../../repo/fsck.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural } from '../reporter.ts';

interface Flags {
  readonly remote?: string | boolean;
  readonly rebuildIndex?: boolean;
}

/** Integrity problems have the exit code of their kind. */
const CORRUPT_EXIT = 5;

export function registerFsck(program: Command, context: CliContext): void {
  program
    .command('fsck')
    .description('re-read and re-hash everything: packs, index, versions, split')
    .option('--remote [name]', 'check a remote instead')
    .option('--rebuild-index', 'make the index anew from the packs first')
    .action((flags: Flags) => runFsck(context, flags));
}

async function runFsck(context: CliContext, flags: Flags): Promise<void> {
  const { fsck, fsckRemote, setAsideCatalogue } = await import('../../repo/fsck.ts');
  if (flags.rebuildIndex === true) {
    const aside = setAsideCatalogue(context.directory);
    if (aside !== undefined) {
      const lost = aside.lost.length === 0 ? 'all of it' : `all but some of: ${aside.lost.join(', ')}`;
      context.reporter.note(`the catalogue was damaged and was kept as ${aside.path}`);
      context.reporter.note(`of what only it held (staged batches, events, tags), this was saved: ${lost}`);
    }
  }
  await context.withRepository(async (repository) => {
    const report =
      flags.remote === undefined || flags.remote === false
        ? await fsck(repository, { rebuildIndex: flags.rebuildIndex === true })
        : await fsckRemote(repository, flags.remote === true ? undefined : String(flags.remote));
    context.reporter.result(report, () => describe(report));
    if (!report.ok) context.exitCode = CORRUPT_EXIT;
  });
}

function describe(report: FsckReport): string {
  const counts = `${plural(report.blocks, 'chunk')} in ${plural(report.packs, 'pack')}, ${plural(report.versions, 'version')}`;
  if (report.ok) return `${counts}: everything is what its hash says.`;
  return [
    `${counts}: ${plural(report.problems.length, 'problem')}`,
    ...report.problems
      .slice(0, 50)
      .map(({ code, what, where }) => `  ${code}: ${oneLine(what, 300)} (${oneLine(where, 120)})`),
    ...(report.problems.length > 50 ? [`  … and ${report.problems.length - 50} more`] : []),
    'Data that a remote has can be fetched again: move the damaged pack out of .uttr/packs, run uttr fsck --rebuild-index, then uttr pull.',
  ].join('\n');
}
