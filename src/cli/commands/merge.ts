import type { Command } from 'commander';
import { UttrError } from '../../base/errors.ts';
import type { MergeSummary } from '../../repo/merge-state.ts';
import type { Repository } from '../../repo/repository.ts';
import type { CliContext } from '../context.ts';
import { deliverAfter } from '../delivery.ts';
import { oneLine, plural, thousands } from '../reporter.ts';
import { changeWords, short } from '../words.ts';

interface Flags {
  readonly ours?: boolean;
  readonly theirs?: boolean;
  readonly edit?: string | boolean;
  readonly abort?: boolean;
  readonly message?: string;
  readonly author?: string;
}

export function registerMerge(program: Command, context: CliContext): void {
  program
    .command('merge')
    .description('merge another version into HEAD, record by record; or settle a merge that waits')
    .argument('[dataset@version]', 'the version to merge; the dataset alone to settle its open merge')
    .option('--ours', 'settle: keep our side of every record that both changed')
    .option('--theirs', 'settle: take their side')
    .option('--edit [file]', 'settle one by one: write the records to a CSV file, then read the decisions from it')
    .option('--abort', 'drop the open merge')
    .option('-m, --message <text>', 'what this merge is')
    .option('--author <name>', 'who made it')
    .action((target: string | undefined, flags: Flags) => runMerge(context, target, flags));
}

async function runMerge(context: CliContext, target: string | undefined, flags: Flags): Promise<void> {
  const settling =
    [flags.ours, flags.theirs, flags.abort].filter((flag) => flag === true).length + (flags.edit === undefined ? 0 : 1);
  if (settling > 1) throw new UttrError('bad-option', 'choose one of --ours, --theirs, --edit and --abort');
  await context.withRepository(async (repository) => {
    if (settling === 0) await mergeVersion(context, repository, target, flags);
    else await settle(context, repository, target, flags);
    await deliverAfter(context, repository);
  });
}

async function mergeVersion(
  context: CliContext,
  repository: Repository,
  target: string | undefined,
  flags: Flags,
): Promise<void> {
  const { mergeVersions } = await import('../../repo/merge-state.ts');
  const { headVersion, parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  if (target === undefined)
    throw new UttrError('bad-option', 'say which version to merge', { hint: 'e.g. uttr merge git:feature' });
  const meant = parseTarget(repository, target);
  const ours = await headVersion(repository, meant.dataset);
  if (ours === undefined) throw new UttrError('unknown-version', `${meant.dataset} has no version to merge into`);
  const theirs = await resolveVersion(repository, meant);
  const summary = await mergeVersions(repository, ours, theirs, { message: flags.message, author: flags.author });
  context.reporter.result(summary, () => describe(summary));
}

async function settle(
  context: CliContext,
  repository: Repository,
  target: string | undefined,
  flags: Flags,
): Promise<void> {
  const { abortMerge, settleMerge } = await import('../../repo/merge-state.ts');
  const { parseTarget } = await import('../../repo/versions.ts');
  const { dataset } = parseTarget(repository, target);
  const options = { message: flags.message, author: flags.author };
  if (flags.abort === true) {
    await abortMerge(repository, dataset);
    context.reporter.result(
      { dataset, aborted: true },
      () => `Dropped the open merge of ${dataset}; its pointer stays at our side.`,
    );
    return;
  }
  const decision =
    flags.edit === undefined
      ? ({ kind: flags.ours === true ? 'ours' : 'theirs' } as const)
      : await decide(context, repository, dataset, flags.edit === true ? undefined : String(flags.edit));
  if (decision === undefined) return;
  const summary = await settleMerge(repository, dataset, decision, options);
  context.reporter.result(
    summary,
    () => `${describe(summary)}${summary.git ? `\nNext: git add manifests/${dataset}.json && git commit` : ''}`,
  );
}

/** Reads decisions from the file; where it is not there yet, writes it, and opens an editor if there is one. */
async function decide(
  context: CliContext,
  repository: Repository,
  dataset: string,
  named: string | undefined,
): Promise<{ kind: 'table'; keep: ReadonlyMap<string, string> } | undefined> {
  const { readDecisions, writeDecisions } = await import('../../repo/merge-decisions.ts');
  const path = context.resolve(named ?? `merge-${dataset}.csv`);
  if (await writeDecisions(repository, dataset, path)) {
    const editor = context.environment['VISUAL'] ?? context.environment['EDITOR'];
    if (editor === undefined || editor === '' || !process.stdin.isTTY) {
      context.reporter.result(
        { dataset, file: path, written: true },
        () =>
          `Wrote ${context.relative(path)}: write "ours", "theirs" or a label into the column "keep" of each row, then run the command again.`,
      );
      return undefined;
    }
    const { spawnSync } = await import('node:child_process');
    // The editor's own words are a command line of the user, as in git.
    spawnSync(`${editor} "$UTTR_FILE"`, { shell: true, stdio: 'inherit', env: { ...process.env, UTTR_FILE: path } });
  }
  return { kind: 'table', keep: await readDecisions(path) };
}

function describe(summary: MergeSummary): string {
  const name = `${summary.dataset}@${short(summary.version)}`;
  if (summary.outcome === 'forwarded') return `${name}: the pointer moved forward, there was nothing to merge`;
  if (summary.outcome === 'none') return `${name} has it already`;
  const lines = [
    `merged ${name}: ${thousands(summary.rows)} rows; ${changeWords(summary.changes)}  ${summary.crossed} crossed`,
  ];
  if (summary.crossedTexts.length > 0) {
    lines.push(`  ${plural(summary.crossedTexts.length, 'group')} crossed to the training side for good:`);
    for (const text of summary.crossedTexts.slice(0, 20)) lines.push(`    "${oneLine(text)}"`);
  }
  return lines.join('\n');
}
