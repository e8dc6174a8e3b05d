/** Whether a measured value passes a gate: a pure function of the gate, the measurements so far and a given time. */
import { percent } from '../base/percent.ts';
import { type Target, targetAt } from './target.ts';

/** What makes a value good enough; tolerance is taken off the target in each. */
export type Rule =
  /** The value itself. */
  | 'point'
  /** The lower end of its interval: surely good enough. */
  | 'lower-bound'
  /** The upper end of its interval: not surely too low. */
  | 'upper-bound'
  /** The value, held against the best that passed before, whatever the target says. */
  | 'not-worse-than-best';

export interface Gate {
  readonly name: string;
  /** `accuracy`, `macro-f1`, `f1:<intent>`, …; see metric.ts. */
  readonly metric: string;
  readonly target: Target;
  readonly rule: Rule;
  readonly tolerance: number;
  /** Rows below which nothing is decided. */
  readonly minSupport: number;
  readonly below: 'warn' | 'fail';
  /** Measurements in a row that must be below before it fails. */
  readonly failAfter: number;
}

/** One evaluation, as far as a gate looks at it. */
export interface Measurement {
  readonly atMs: number;
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly rows: number;
}

export type Status = 'pass' | 'warn' | 'fail';

export interface Decision {
  readonly gate: string;
  readonly metric: string;
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly target: number;
  readonly status: Status;
  /** In words. */
  readonly reason: string;
}

/** What is remembered from one measurement to the next. */
interface State {
  best: number | undefined;
  /** Measurements in a row that were below. */
  belowCount: number;
}

/**
 * Decides about the last measurement.
 *
 * @param measurements oldest first, at least one: the earlier ones say what was reached, and how often it was missed
 * @param atMs the time that the target of the last one is asked for; earlier ones are held against that of their own
 */
export function decideGate(gate: Gate, measurements: readonly Measurement[], atMs: number): Decision {
  const state: State = { best: undefined, belowCount: 0 };
  let decision: Decision | undefined;
  for (const [at, measurement] of measurements.entries()) {
    const isLast = at === measurements.length - 1;
    decision = decideOne(gate, measurement, isLast ? atMs : measurement.atMs, state);
  }
  if (decision === undefined) throw new RangeError(`nothing was measured for the gate ${gate.name}`);
  return decision;
}

function decideOne(gate: Gate, measurement: Measurement, atMs: number, state: State): Decision {
  const { value, interval, rows } = measurement;
  const { name, metric, rule, tolerance } = gate;
  const target = rule === 'not-worse-than-best' ? (state.best ?? 0) : targetAt(gate.target, atMs, state.best);
  const made = (status: Status, reason: string): Decision => ({
    gate: name,
    metric,
    value,
    interval,
    target,
    status,
    reason,
  });
  // Too few rows say neither that it is reached nor that it is missed: the count goes on from before.
  if (rows < gate.minSupport) return made('warn', `only ${rows} rows; at least ${gate.minSupport} are needed`);
  const counted = countedValue(rule, value, interval);
  const limit = target - tolerance;
  if (counted >= limit) {
    state.belowCount = 0;
    const isShort = value < limit;
    if (!isShort) state.best = Math.max(state.best ?? 0, value);
    return isShort
      ? made('warn', `${percent(value)} is below ${percent(limit)}, which may be chance`)
      : made('pass', `${rule === 'lower-bound' ? said(rule, counted) : percent(value)} reaches ${percent(limit)}`);
  }
  state.belowCount += 1;
  const missed = `${said(rule, counted)} is below ${percent(limit)}`;
  if (gate.below === 'warn') return made('warn', missed);
  if (state.belowCount >= gate.failAfter) {
    return made('fail', gate.failAfter === 1 ? missed : `${missed}, ${times(state.belowCount)}`);
  }
  return made('warn', `${missed}, ${state.belowCount} of ${gate.failAfter} times in a row`);
}

function countedValue(rule: Rule, value: number, interval: Measurement['interval']): number {
  if (interval === undefined) return value;
  if (rule === 'lower-bound') return interval[0];
  return rule === 'upper-bound' ? interval[1] : value;
}

function said(rule: Rule, counted: number): string {
  const end = rule === 'lower-bound' ? 'the lower bound ' : rule === 'upper-bound' ? 'the upper bound ' : '';
  return `${end}${percent(counted)}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times in a row`;
}
