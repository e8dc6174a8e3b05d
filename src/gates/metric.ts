/** The figures of an evaluation that a gate can name. */
import type { Estimate, Evaluation } from '../evaluation/evaluate.ts';
import type { Measurement } from './decide.ts';

const WHOLE: Readonly<Record<string, (evaluation: Evaluation) => Estimate>> = {
  accuracy: ({ accuracy }) => accuracy,
  'macro-f1': ({ macroF1 }) => macroF1,
  'weighted-f1': ({ weightedF1 }) => weightedF1,
};
/** `f1:cancel_order`, `recall:cancel_order`. */
const OF_INTENT = /^(?<figure>f1|recall):(?<intent>.+)$/su;
/** `accuracy[role=agent]`. */
const OF_SLICE = /^accuracy\[(?<feature>[^=\]]+)=(?<value>.*)\]$/su;

export const METRICS_HINT =
  'accuracy, macro-f1, weighted-f1, entity-f1, f1:<intent>, recall:<intent> or accuracy[<feature>=<value>]';

export function isMetric(name: string): boolean {
  return Object.hasOwn(WHOLE, name) || name === 'entity-f1' || OF_INTENT.test(name) || OF_SLICE.test(name);
}

/** What an evaluation says of a metric; undefined where it says nothing: the intent, slice or entities are not in it. */
export function measured(evaluation: Evaluation, metric: string): Omit<Measurement, 'atMs'> | undefined {
  const whole = Object.hasOwn(WHOLE, metric) ? WHOLE[metric] : undefined;
  if (whole !== undefined) return { ...whole(evaluation), rows: evaluation.rows };
  if (metric === 'entity-f1') {
    const { entities } = evaluation;
    return entities === undefined ? undefined : { value: entities.f1, interval: undefined, rows: entities.support };
  }
  return ofSlice(evaluation, metric) ?? ofIntent(evaluation, metric);
}

function ofSlice(evaluation: Evaluation, metric: string): Omit<Measurement, 'atMs'> | undefined {
  const { feature = '', value = '' } = OF_SLICE.exec(metric)?.groups ?? {};
  const slice = ownOf(ownOf(evaluation.slices, feature) ?? {}, value);
  return slice === undefined ? undefined : { ...slice.accuracy, rows: slice.rows };
}

function ofIntent(evaluation: Evaluation, metric: string): Omit<Measurement, 'atMs'> | undefined {
  const { figure, intent = '' } = OF_INTENT.exec(metric)?.groups ?? {};
  const scores = ownOf(evaluation.intents, intent);
  if (scores === undefined || scores.support === 0) return undefined;
  return figure === 'f1'
    ? { value: scores.f1, interval: scores.f1Interval, rows: scores.support }
    : { value: scores.recall, interval: scores.recallInterval, rows: scores.support };
}

function ownOf<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
