import type { Command } from 'commander';
import { isUttrError } from '../../base/errors.ts';
import type { Finding } from '../../checks/run.ts';
import type { CommitSummary } from '../../repo/commit.ts';
import type { CliContext } from '../context.ts';
import { deliverAfter } from '../delivery.ts';
import { collect } from '../options.ts';
import { oneLine, type Reporter, thousands } from '../reporter.ts';
import { changeWords, short, sideWords } from '../words.ts';

interface Flags {
  readonly message?: string;
  readonly author?: string;
  readonly allow?: string[];
}

export function registerCommit(program: Command, context: CliContext): void {
  program
    .command('commit')
    .description('make a version of what is staged: split it, record it, move the pointer')
    .argument('[dataset]', 'the dataset; all that have something staged by default')
    .option('-m, --message <text>', 'what this change is')
    .option('--author <name>', "who made it; git's user by default")
    .option('--allow <check>', 'commit in spite of errors that this check finds; recorded (can be repeated)', collect)
    .action((dataset: string | undefined, flags: Flags) => runCommit(context, dataset, flags));
}

async function runCommit(context: CliContext, named: string | undefined, flags: Flags): Promise<void> {
  const { commit } = await import('../../repo/commit.ts');
  const { stagedDatasets } = await import('../../repo/staged-state.ts');
  const { reporter } = context;
  await context.withRepository(async (repository) => {
    const datasets = named === undefined ? stagedDatasets(repository) : [named];
    const done: CommitSummary[] = [];
    for (const dataset of datasets) {
      try {
        done.push(await commit(repository, dataset, { ...flags, allow: flags.allow ?? [] }));
      } catch (error) {
        // What was committed before stays committed, so it must be said.
        for (const summary of done) reporter.note(describe(summary));
        noteFindings(reporter, error);
        throw error;
      }
    }
    const [only] = done;
    reporter.result(done.length === 1 ? only : { commits: done }, () => done.map(describe).join('\n'));
    for (const summary of done) for (const warning of summary.warnings) reporter.note(`note: ${warning}`);
    await deliverAfter(context, repository);
  });
}

/** The error names the first finding; a person wants to see the others, too. */
function noteFindings(reporter: Reporter, error: unknown): void {
  if (!isUttrError(error, 'check-failed') || reporter.json) return;
  const findings = error.details['findings'] as unknown as readonly Finding[];
  if (findings.length < 2) return;
  for (const { check, message } of findings) reporter.note(`  ${check}: ${oneLine(message, 300)}`);
  const more = Number(error.details['errors']) - findings.length;
  if (more > 0) reporter.note(`  … and ${thousands(more)} more: uttr add --dry-run shows them before they are staged`);
}

function describe(summary: CommitSummary): string {
  return [
    `committed ${summary.dataset}@${short(summary.version)}`,
    `  ${changeWords(summary.changes)}`,
    `  ${sideWords(summary.sides)}  ${summary.crossed} crossed${summary.unlabelled === 0 ? '' : `  unlabelled ${summary.unlabelled}`}`,
    ...(summary.allowed.length === 0 ? [] : [`  in spite of errors: ${summary.allowed.join(', ')}`]),
    `  pointer: ${summary.pointer}`,
  ].join('\n');
}
