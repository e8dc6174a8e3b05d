import { type Command, InvalidArgumentError, Option } from 'commander';
import { percent } from '../../base/percent.ts';
import type { GateReport } from '../../repo/gate.ts';
import { cell } from '../../report/markup.ts';
import type { CliContext } from '../context.ts';
import { oneLine, table } from '../reporter.ts';
import { intervalWords, short } from '../words.ts';

interface Flags {
  readonly model?: string;
  readonly at?: Date;
  readonly format: 'text' | 'md';
}

type Row = GateReport['gates'][number];

/** Values drawn in a sparkline: the last ones. */
const SPARKS = 12;
const LEVELS = '▁▂▃▄▅▆▇█';

export function registerGate(program: Command, context: CliContext): void {
  program
    .command('gate')
    .description('hold a recorded evaluation against the gates of uttr.json; ends with 1 when one fails')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('--model <name>', 'the model; by default the last one that was recorded of the version')
    .option('--at <time>', 'the time that targets are asked for, ISO 8601; by default now', parseTime)
    .addOption(new Option('--format <name>', 'text, or md for a pull request').choices(['text', 'md']).default('text'))
    .action((target: string | undefined, flags: Flags) => runGate(context, target, flags));
}

function parseTime(value: string): Date {
  const time = new Date(value);
  if (/^\d{4}-\d{2}-\d{2}/u.test(value) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('write it as 2026-11-23 or 2026-11-23T12:00:00Z');
}

async function runGate(context: CliContext, target: string | undefined, flags: Flags): Promise<void> {
  const { gateVersion } = await import('../../repo/gate.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const report = await gateVersion(repository, version, flags);
    context.reporter.result(report, () => (flags.format === 'md' ? asMarkdown(report) : asText(report)));
    if (!report.ok) context.exitCode = 1;
  });
}

function asText(report: GateReport): string {
  const rows = report.gates.map((gate) => [
    gate.status,
    oneLine(gate.gate, 40),
    percent(gate.value),
    interval(gate),
    percent(gate.target),
    sparkline(gate.history),
    gate.reason,
  ]);
  const header = ['', 'gate', 'value', '', 'target', 'history', ''];
  return [title(report), '', table([header, ...rows], [false, false, true, false, true]), '', verdict(report)].join(
    '\n',
  );
}

function asMarkdown(report: GateReport): string {
  const rows = report.gates.map((gate) => {
    const cells = [gate.status, gate.gate, percent(gate.value), interval(gate), percent(gate.target)];
    return `| ${[...cells, sparkline(gate.history), gate.reason].map((text) => cell(oneLine(text))).join(' | ')} |`;
  });
  const head = '| | gate | value | 95 % | target | history | |\n|---|---|---:|---|---:|---|---|';
  return [`**${cell(title(report))}**`, '', head, ...rows, '', verdict(report)].join('\n');
}

function title({ dataset, version, model, at }: GateReport): string {
  return `${oneLine(model)} on ${dataset}@${short(version)}, targets of ${at.slice(0, 10)}`;
}

function verdict({ ok, gates }: GateReport): string {
  const failed = gates.filter(({ status }) => status === 'fail').length;
  return ok ? 'No gate fails.' : `${failed} of ${gates.length} gates ${failed === 1 ? 'fails' : 'fail'}.`;
}

function interval({ interval: ends }: Row): string {
  return ends === undefined ? '' : intervalWords(ends);
}

/** The last values between their least and their greatest. */
function sparkline(history: readonly number[]): string {
  const values = history.slice(-SPARKS);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values
    .map((value) => LEVELS[high === low ? 3 : Math.round(((value - low) / (high - low)) * (LEVELS.length - 1))])
    .join('');
}
