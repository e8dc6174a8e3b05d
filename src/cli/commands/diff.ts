import { type Command, Option } from 'commander';
import type { DiffSource } from '../../repo/diff.ts';
import type { Repository } from '../../repo/repository.ts';
import type { CliContext } from '../context.ts';
import { diffHtml, diffJsonLines, diffMarkdown, diffText } from '../diff-view.ts';
import { parseCount } from '../options.ts';

interface Flags {
  readonly staged?: boolean;
  readonly stat?: boolean;
  readonly side?: string;
  readonly intent?: string;
  readonly limit?: number;
  readonly format: 'text' | 'jsonl' | 'md' | 'html';
  readonly exitCode?: boolean;
}

const SHOWN_CHANGES = 50;
const JSON_CHANGES = 1000;

export function registerDiff(program: Command, context: CliContext): void {
  program
    .command('diff')
    .description('which rows differ between two versions')
    .argument('[a]', 'the older version; the parent of HEAD by default')
    .argument('[b]', 'the newer version; HEAD by default')
    .option('--staged', 'what is staged, against HEAD: what the next commit changes')
    .option('--stat', 'counts only')
    .option('--side <side>', 'one side only')
    .option('--intent <name>', 'records that have or had this intent')
    .option('--limit <count>', 'at most so many changes', parseCount)
    .option('--exit-code', 'end with 1 when there are differences')
    .addOption(
      new Option('--format <name>', 'how to print it').choices(['text', 'jsonl', 'md', 'html']).default('text'),
    )
    .action((a: string | undefined, b: string | undefined, flags: Flags) => runDiff(context, a, b, flags));
}

async function runDiff(context: CliContext, a: string | undefined, b: string | undefined, flags: Flags): Promise<void> {
  const { diffStream, summarize } = await import('../../repo/diff.ts');
  const { reporter } = context;
  await context.withRepository(async (repository) => {
    const source = await sourceOf(repository, a, b, flags.staged === true);
    if (flags.format === 'jsonl' && !reporter.json) {
      let differs = false;
      for await (const batch of diffStream(source, flags)) {
        differs ||= batch.length > 0;
        await reporter.data(diffJsonLines(batch));
      }
      if (differs && flags.exitCode === true) context.exitCode = 1;
      return;
    }
    const limit = flags.stat === true ? 0 : (flags.limit ?? (reporter.json ? JSON_CHANGES : SHOWN_CHANGES));
    const result = await summarize(source, flags, limit);
    reporter.result(result, () => {
      if (flags.format === 'md') return diffMarkdown(result);
      if (flags.format === 'html') return diffHtml(result);
      return diffText(result, reporter, flags.stat === true);
    });
    const changed = Object.values(result.summary).some((count) => count > 0);
    if (changed && flags.exitCode === true) context.exitCode = 1;
  });
}

async function sourceOf(
  repository: Repository,
  a: string | undefined,
  b: string | undefined,
  staged: boolean,
): Promise<DiffSource> {
  if (staged) {
    const { UttrError } = await import('../../base/errors.ts');
    const { stagedDiff } = await import('../../repo/staged-diff.ts');
    if (b !== undefined) throw new UttrError('bad-option', '--staged takes a dataset, no versions');
    return stagedDiff(repository, a ?? repository.onlyDataset());
  }
  const { diffTargets } = await import('../../repo/diff-targets.ts');
  const { betweenVersions } = await import('../../repo/diff.ts');
  const { from, to } = await diffTargets(repository, a, b);
  return betweenVersions(repository, from, to);
}
