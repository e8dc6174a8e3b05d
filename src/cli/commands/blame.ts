import type { Command } from 'commander';
import type { Blame } from '../../repo/blame.ts';
import type { CliContext } from '../context.ts';
import { oneLine, table } from '../reporter.ts';
import { short, when } from '../words.ts';

export function registerBlame(program: Command, context: CliContext): void {
  program
    .command('blame')
    .description('which version, batch and author brought an utterance and each of its labels')
    .argument('<dataset[@version]>', 'the dataset')
    .argument('<text>', 'the utterance')
    .action((target: string, text: string) => runBlame(context, target, text));
}

async function runBlame(context: CliContext, name: string, text: string): Promise<void> {
  const { blame } = await import('../../repo/blame.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, name));
    const utterances = await blame(repository, version, text);
    context.reporter.result({ dataset: version.manifest.dataset, utterances }, () =>
      utterances.map(describe).join('\n\n'),
    );
  });
}

function describe(blame: Blame): string {
  const rows = blame.history.map((step) => [
    `  ${short(step.version)}`,
    when(step.time),
    oneLine(step.author, 40),
    step.kind,
    oneLine(step.intent ?? '(none)', 60),
    oneLine(step.batches.join(', ') || step.message, 80),
  ]);
  return `"${oneLine(blame.text)}" [${oneLine(blame.intent ?? '(none)', 60)}]\n${table(rows)}`;
}
