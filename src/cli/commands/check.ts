import { type Command, Option } from 'commander';
import { checkHtml, checkMarkdown, checkText } from '../check-view.ts';
import type { CliContext } from '../context.ts';
import { collect, parseCount } from '../options.ts';

interface Flags {
  readonly only?: string[];
  readonly limit?: number;
  readonly format: 'text' | 'md' | 'html';
}

/** Findings of one check that are shown by default. */
const SHOWN_FINDINGS = { text: 5, md: 20, html: 200 } as const;

export function registerCheck(program: Command, context: CliContext): void {
  program
    .command('check')
    .description('look for conflicting labels, leaks, near-duplicates and other faults; ends with 1 on an error')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('--only <check>', 'this check only (can be repeated)', collect)
    .option('--limit <count>', 'show at most so many findings of each check', parseCount)
    .addOption(new Option('--format <name>', 'how to print it').choices(['text', 'md', 'html']).default('text'))
    .action((target: string | undefined, flags: Flags) => runCheck(context, target, flags));
}

async function runCheck(context: CliContext, target: string | undefined, flags: Flags): Promise<void> {
  const { checkVersion } = await import('../../repo/check.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const report = await checkVersion(repository, version, { only: flags.only });
    const limit = flags.limit ?? SHOWN_FINDINGS[flags.format];
    context.reporter.result(report, () => {
      if (flags.format === 'md') return checkMarkdown(report, limit);
      if (flags.format === 'html') return checkHtml(report, limit);
      return checkText(report, context.reporter, limit);
    });
    if (!report.ok) context.exitCode = 1;
  });
}
