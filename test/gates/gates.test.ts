import { describe, expect, test } from 'vitest';
import { decideGate, type Gate, type Measurement } from '../../src/gates/decide.ts';
import { parseGates } from '../../src/gates/parse.ts';
import { targetAt } from '../../src/gates/target.ts';
import { wilsonInterval } from '../../src/evaluation/intervals.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-23T00:00:00Z');

/** The gate of the story: 80 %, then one point more each week for ten weeks. */
function gate(changes: Readonly<Record<string, unknown>> = {}): Gate {
  const problems: string[] = [];
  const [parsed] = parseGates(
    {
      story: {
        metric: 'accuracy',
        target: { start: 0.8, step: 0.01, every: '7d', steps: 10, from: '2026-11-23' },
        decide: 'upper-bound',
        ...changes,
      },
    },
    'gates',
    problems,
  );
  expect(problems).toEqual([]);
  return parsed as Gate;
}

const measure = (correct: number, rows: number, atMs = START_MS): Measurement => ({
  atMs,
  value: correct / rows,
  interval: wilsonInterval(correct, rows),
  rows,
});

describe('a target', () => {
  test('of steps starts at its value, rises once a week, and stays after the last step', () => {
    const { target } = gate();
    const at = (days: number): number => targetAt(target, START_MS + days * DAY_MS);
    expect([-30, 0, 6.999, 7, 13, 14, 69, 70, 71, 1000].map(at)).toEqual([
      0.8, 0.8, 0.8, 0.81, 0.81, 0.82, 0.89, 0.9, 0.9, 0.9,
    ]);
  });

  test('of a ramp lies on the line between two days, and stays before and after', () => {
    const { target } = gate({ target: { start: 0.8, end: 0.9, from: '2026-11-23', until: '2026-12-03' } });
    expect([-1, 0, 5, 10, 11].map((days) => targetAt(target, START_MS + days * DAY_MS))).toEqual([
      0.8, 0.8, 0.85, 0.9, 0.9,
    ]);
  });

  test('of a ratchet is the best that passed, and never less than its floor', () => {
    const ratchet = gate({ target: { ratchet: 0.8 }, decide: 'point', tolerance: 0.02 });
    const runs = [820, 900, 890, 870, 899].map((correct) => measure(correct, 1000));
    const decisions = runs.map((_, at) => decideGate(ratchet, runs.slice(0, at + 1), START_MS));
    expect(decisions.map(({ target, status }) => [target, status])).toEqual([
      [0.8, 'pass'],
      [0.82, 'pass'],
      [0.9, 'pass'],
      [0.9, 'fail'],
      [0.9, 'pass'],
    ]);
  });
});

describe('a decision', () => {
  test('fails only when the interval says so: the story, over twelve weeks', () => {
    // A model that gains half a point a week falls behind a target that gains one.
    const weeks = Array.from({ length: 12 }, (_, week) =>
      measure(405 + Math.round(2.5 * week), 500, START_MS + week * 7 * DAY_MS),
    );
    const decisions = weeks.map(({ atMs }, week) => decideGate(gate(), weeks.slice(0, week + 1), atMs));
    expect(decisions.map(({ target }) => target)).toEqual([
      0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87, 0.88, 0.89, 0.9, 0.9,
    ]);
    for (const { value, interval = [0, 1], target, status } of decisions) {
      expect(status).toBe(value >= target ? 'pass' : interval[1] >= target ? 'warn' : 'fail');
    }
    expect(decisions.map(({ status }) => status)).toEqual([
      'pass',
      'pass',
      'pass',
      'warn',
      'warn',
      'warn',
      'warn',
      'warn',
      'fail',
      'fail',
      'fail',
      'fail',
    ]);
    expect(decisions[3]?.reason).toBe('82.6 % is below 83.0 %, which may be chance');
  });

  test.each([
    ['point', 880, 'fail', '88.0 % is below 89.5 %'],
    ['point', 896, 'pass', '89.6 % reaches 89.5 %'],
    ['upper-bound', 880, 'warn', '88.0 % is below 89.5 %, which may be chance'],
    ['upper-bound', 850, 'fail', 'the upper bound 87.1 % is below 89.5 %'],
    ['lower-bound', 910, 'fail', 'the lower bound 89.1 % is below 89.5 %'],
    ['lower-bound', 930, 'pass', 'the lower bound 91.2 % reaches 89.5 %'],
  ])('by %s of %i in 1000 is %s', (decide, correct, status, reason) => {
    const made = decideGate(gate({ target: 0.9, decide, tolerance: 0.005 }), [measure(correct, 1000)], START_MS);
    expect([made.status, made.reason]).toEqual([status, reason]);
  });

  test('below warns where the gate says so, and where there are too few rows', () => {
    expect(decideGate(gate({ below: 'warn', target: 0.9 }), [measure(1, 100)], START_MS).status).toBe('warn');
    const few = decideGate(gate({ minSupport: 100 }), [measure(10, 99)], START_MS);
    expect([few.status, few.reason]).toEqual(['warn', 'only 99 rows; at least 100 are needed']);
  });

  test('failAfter counts in a row; a pass in between begins anew, too few rows do not', () => {
    const patient = gate({ target: 0.9, decide: 'point', failAfter: 3, minSupport: 100 });
    const [low, high, few] = [measure(800, 1000), measure(950, 1000), measure(1, 10)];
    const runs = [low, low, high, low, low, few, low, low];
    const decisions = runs.map((_, at) => decideGate(patient, runs.slice(0, at + 1), START_MS));
    expect(decisions.map(({ status }) => status)).toEqual([
      'warn',
      'warn',
      'pass',
      'warn',
      'warn',
      'warn',
      'fail',
      'fail',
    ]);
    expect(decisions[1]?.reason).toBe('80.0 % is below 90.0 %, 2 of 3 times in a row');
    expect(decisions[7]?.reason).toBe('80.0 % is below 90.0 %, 4 times in a row');
  });

  test('not-worse-than-best needs no target', () => {
    const best = gate({ target: undefined, decide: 'not-worse-than-best', tolerance: 0.01 });
    const runs = [700, 750, 742, 730].map((correct) => measure(correct, 1000));
    const decisions = runs.map((_, at) => decideGate(best, runs.slice(0, at + 1), START_MS));
    expect(decisions.map(({ status, target }) => [status, target])).toEqual([
      ['pass', 0],
      ['pass', 0.7],
      ['pass', 0.75],
      ['fail', 0.75],
    ]);
  });
});

test.each([
  [{ metrik: 'accuracy' }, 'unknown "gates.g.metrik" (did you mean "metric"?)'],
  [{ metric: 'acuracy' }, '"gates.g.metric" is no metric: accuracy, macro-f1'],
  [{ on: 'train' }, '"gates.g.on" is not "test"'],
  [{ target: 80 }, '"gates.g.target" is none of: a number from 0 to 1, {ratchet}'],
  [
    { target: { start: 0.8, step: 0.01, every: '7 days', steps: 1, from: '2026-11-23' } },
    '"gates.g.target.every" is no',
  ],
  [
    { target: { start: 0.8, end: 0.9, from: '2026-11-23', until: '2026-11-22' } },
    '"gates.g.target.until" is not after',
  ],
  [{ target: { start: 0.8, step: 0.01, every: '7d', from: '2026-11-23' } }, '"gates.g.target.steps" is missing'],
  [{ decide: 'mean' }, '"gates.g.decide" is none of point'],
  [{ below: 'stop' }, '"gates.g.below" is neither'],
  [{ failAfter: 0 }, '"gates.g.failAfter" cannot be 0'],
  [{ tolerance: -1 }, '"gates.g.tolerance" cannot be -1'],
])('%j is a problem of the configuration', (changes, message) => {
  const problems: string[] = [];
  parseGates({ g: { metric: 'accuracy', target: 0.8, ...changes } }, 'gates', problems);
  expect(problems.join('\n')).toContain(message);
});
