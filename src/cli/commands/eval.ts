import type { Command } from 'commander';
import { percent } from '../../base/percent.ts';
import type { Estimate } from '../../evaluation/evaluate.ts';
import type { KeptEvaluation, RecordedEvaluation } from '../../repo/record-evaluation.ts';
import { comparisonText } from '../comparison-view.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural, table, thousands } from '../reporter.ts';
import { intervalWords, short } from '../words.ts';

interface Flags {
  readonly predictions: string;
  readonly model: string;
  readonly code?: string;
  readonly side: string;
}

/** Intents and confusions shown; the file has them all. */
const SHOWN = 10;

export function registerEval(program: Command, context: CliContext): void {
  const evaluations = program.command('eval').description('how good a model is on one version: record, compare');
  evaluations
    .command('record')
    .description('measure predictions of the test side, and keep the figures in evaluations/')
    .argument('<dataset@version>', 'the version whose side was predicted; HEAD by default')
    .requiredOption(
      '--predictions <file>',
      'one JSON object a line: id or text, intent, score, entities; - reads stdin',
    )
    .requiredOption('--model <name>', 'what to call the model')
    .option('--code <version>', 'which code trained it, e.g. a git commit')
    .option('--side <side>', 'the side that was predicted', 'test')
    .action((target: string, flags: Flags) => runRecord(context, target, flags));
  evaluations
    .command('compare')
    .description('what the model changed, on the rows that both test sides have, and what the data changed')
    .argument('<before>', 'a file in evaluations/')
    .argument('<after>', 'another one, of the same version or a later one')
    .action((before: string, after: string) => runCompare(context, before, after));
}

async function runCompare(context: CliContext, before: string, after: string): Promise<void> {
  const { compareEvaluations } = await import('../../repo/compare-evaluations.ts');
  const { readEvaluation } = await import('../../repo/record-evaluation.ts');
  await context.withRepository(async (repository) => {
    const [first, second] = [await readEvaluation(context.source(before)), await readEvaluation(context.source(after))];
    const comparison = await compareEvaluations(repository, first, second);
    const about = ({ dataset, version, model, side }: KeptEvaluation): Readonly<Record<string, string>> => ({
      dataset,
      version,
      model,
      side,
    });
    const document = { before: about(first), after: about(second), comparison };
    context.reporter.result(document, () => comparisonText(first, second, comparison));
  });
}

async function runRecord(context: CliContext, target: string, flags: Flags): Promise<void> {
  const { BatchInput } = await import('../../repo/input.ts');
  const { recordEvaluation } = await import('../../repo/record-evaluation.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const input = await BatchInput.open(context.source(flags.predictions), context.signal);
    try {
      const recorded = await recordEvaluation(repository, version, input, flags);
      context.reporter.result(recorded, () => describe(recorded, context.relative(recorded.path)));
    } finally {
      await input.close();
    }
  });
}

function describe({ dataset, version, side, model, evaluation }: RecordedEvaluation, path: string): string {
  const { rows, correct, accuracy, macroF1, weightedF1, intents, entities, calibration } = evaluation;
  const figures = [
    ['accuracy', ...estimate(accuracy), `${thousands(correct)} of ${thousands(rows)} rows`],
    ['macro F1', ...estimate(macroF1), withoutRows(evaluation.intentsWithoutRows)],
    ['weighted F1', ...estimate(weightedF1), ''],
  ];
  if (entities !== undefined)
    figures.push(['entity F1', percent(entities.f1), '', `${entities.correct} of ${entities.support} spans`]);
  if (calibration !== undefined) {
    figures.push([
      'calibration error',
      percent(calibration.expectedError),
      '',
      `Brier ${calibration.brier.toFixed(3)}`,
    ]);
  }
  const weakest = Object.entries(intents)
    .filter(([, { support }]) => support > 0)
    .sort(([, a], [, b]) => a.f1 - b.f1)
    .slice(0, SHOWN)
    .map(([name, { f1, precision, recall, support }]) => [
      oneLine(name, 40),
      percent(f1),
      percent(precision),
      percent(recall),
      thousands(support),
    ]);
  const lines = [
    `${oneLine(model)} on the ${side} side of ${dataset}@${short(version)}`,
    '',
    table(figures, [false, true]),
    '',
    table([['weakest intents', 'F1', 'precision', 'recall', 'rows'], ...weakest], [false, true, true, true, true]),
    ...confusionLines(evaluation.confusions),
    ...sliceLines(evaluation.slices),
    '',
    `Kept: ${path}`,
  ];
  return lines.join('\n');
}

function confusionLines(confusions: RecordedEvaluation['evaluation']['confusions']): string[] {
  if (confusions.length === 0) return [];
  const rows = confusions
    .slice(0, SHOWN)
    .map(({ truth, predicted, rows: count }) => [
      oneLine(truth, 40),
      predicted === '' ? '(no answer)' : oneLine(predicted, 40),
      thousands(count),
    ]);
  return ['', table([['taken', 'for', 'rows'], ...rows], [false, false, true])];
}

function sliceLines(slices: RecordedEvaluation['evaluation']['slices']): string[] {
  const rows = Object.entries(slices).flatMap(([feature, values]) =>
    Object.entries(values).map(([value, { accuracy, rows: count }]) => [
      oneLine(`${feature}=${value}`, 40),
      ...estimate(accuracy),
      plural(count, 'row'),
    ]),
  );
  return rows.length === 0 ? [] : ['', table([['slice', 'accuracy', '', ''], ...rows], [false, true])];
}

function withoutRows(intents: number): string {
  return intents === 0 ? '' : `without ${plural(intents, 'intent')} that no row has`;
}

function estimate({ value, interval }: Estimate): [string, string] {
  return [percent(value), intervalWords(interval)];
}
