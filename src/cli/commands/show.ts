import type { Command } from 'commander';
import type { ShownVersion } from '../../repo/log.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural, table, thousands } from '../reporter.ts';
import { changeWords, sideWords } from '../words.ts';

export function registerShow(program: Command, context: CliContext): void {
  program
    .command('show')
    .description('one version: who, when, what, counts by side and intent')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .action((target: string | undefined) => runShow(context, target));
}

async function runShow(context: CliContext, target: string | undefined): Promise<void> {
  const { show } = await import('../../repo/log.ts');
  await context.withRepository(async (repository) => {
    const result = await show(repository, target);
    context.reporter.result(result, () => describe(result));
  });
}

function describe(shown: ShownVersion): string {
  const sides = Object.keys(shown.sides);
  const lines = [
    `version  ${shown.dataset}@${shown.version}`,
    `content  ${shown.content}`,
    ...shown.parents.map((parent) => `parent   ${parent}`),
    `author   ${oneLine(shown.author)}`,
    `time     ${shown.time}`,
    `message  ${oneLine(shown.message)}`,
    `changes  ${changeWords(shown.changes)}`,
    `split    ${sideWords(shown.sides)}  ${shown.crossed} crossed`,
    ...(shown.allowed.length === 0 ? [] : [`allowed  ${shown.allowed.join(', ')} (errors that were let pass)`]),
    ...shown.batches.map(
      (batch) => `batch    ${oneLine(batch.name)}, ${plural(batch.rows, 'row')}, sha256 ${batch.sha256.slice(0, 12)}`,
    ),
    ...shown.tags.map((tag) => `tag      ${tag}`),
  ];
  const rows = Object.entries(shown.intents).sort(([, a], [, b]) => b.rows - a.rows);
  const counts = rows.map(([intent, count]) => [
    `  ${oneLine(intent, 60)}`,
    thousands(count.rows),
    ...sides.map((side) => thousands(count[side] ?? 0)),
  ]);
  return `${lines.join('\n')}\n\n${table([['  intent', 'rows', ...sides], ...counts], [false, true, ...sides.map(() => true)])}`;
}
