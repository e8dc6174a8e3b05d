import type { Command } from 'commander';
import type { DatasetStatus, Status } from '../../repo/status.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural, type Reporter, thousands } from '../reporter.ts';
import { changeWords, short, sideWords } from '../words.ts';

interface Flags {
  readonly exitCode?: boolean;
}

export function registerStatus(program: Command, context: CliContext): void {
  program
    .command('status')
    .description('what is staged, and where the data of each pointer is')
    .option('--exit-code', 'end with 1 when something is staged or a merge is open')
    .action((flags: Flags) => runStatus(context, flags));
}

async function runStatus(context: CliContext, flags: Flags): Promise<void> {
  const { status } = await import('../../repo/status.ts');
  await context.withRepository(async (repository) => {
    const result = await status(repository);
    context.reporter.result(result, () => describe(result, context.reporter));
    if (flags.exitCode === true && result.datasets.some((dataset) => dataset.changed)) context.exitCode = 1;
  });
}

function describe(result: Status, reporter: Reporter): string {
  if (result.datasets.length === 0) return 'No dataset yet. Make one with: uttr add <dataset> <file>';
  const blocks = result.datasets.map((dataset) => describeDataset(dataset, reporter));
  if (result.pendingEvents > 0)
    blocks.push(`${plural(result.pendingEvents, 'delivery', 'deliveries')} of events pending: uttr events deliver`);
  return blocks.join('\n');
}

function describeDataset(status: DatasetStatus, reporter: Reporter): string {
  const lines: string[] = [];
  const name = reporter.style('bold', status.dataset);
  if (status.problem !== null) lines.push(`${name}: ${oneLine(status.problem, 400)}`);
  else if (status.version === null) lines.push(`${name}: no version yet`);
  else {
    lines.push(
      `${name}@${short(status.version)}: ${thousands(status.records ?? 0)} records, ${sideWords(status.sides)}`,
    );
    lines.push(`  data ${LOCAL_WORDS[status.local]}; ${REMOTE_WORDS[status.remote]}`);
  }
  if (status.staged !== null) {
    lines.push(`  staged: ${changeWords(status.staged.changes)} (commit with: uttr commit ${status.dataset} -m "…")`);
    for (const batch of status.staged.batches) lines.push(`    ${batch.name}, ${plural(batch.rows, 'row')}`);
  } else if (status.merge === null && status.version !== null) lines.push('  nothing staged');
  if (status.merge !== null) {
    const { conflicts } = status.merge;
    lines.push(
      `  merge of ${short(status.merge.theirs)} into ${short(status.merge.ours)} waits: ${plural(conflicts.length, 'record')} changed on both sides`,
    );
    for (const { text, base, ours, theirs } of conflicts.slice(0, 10)) {
      lines.push(
        `    "${oneLine(text, 80)}": was ${oneLine(base, 60)}, here ${oneLine(ours, 60)}, there ${oneLine(theirs, 60)}`,
      );
    }
    if (conflicts.length > 10) lines.push(`    … and ${conflicts.length - 10} more`);
    lines.push(`    settle it: uttr merge ${status.dataset} --ours, --theirs or --edit`);
  }
  return lines.join('\n');
}

const LOCAL_WORDS = {
  complete: 'here',
  partial: 'partly here (the rest is fetched when needed)',
  absent: 'not here yet (uttr pull fetches it)',
};
const REMOTE_WORDS = { pushed: 'pushed', 'not-pushed': 'not pushed', unknown: 'not known on a remote' };
