/** The same figures from well-kept statistics packages: scipy and scikit-learn. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { wilsonInterval } from '../../src/evaluation/intervals.ts';
import { mcnemarExact } from '../../src/evaluation/mcnemar.ts';
import { uniform } from '../../src/evaluation/random.ts';
import { addTo, scoresOf } from '../../src/evaluation/scores.ts';
import { pythonWith } from '../formats/python.ts';

const { command: python, note } = pythonWith('scipy.stats, sklearn.metrics');

const SCRIPT = `
import json, sys
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support as prf, f1_score, accuracy_score
given = json.load(sys.stdin)
def wilson(k, n):
    ci = binomtest(k, n).proportion_ci(method='wilson')
    return [ci.low, ci.high]
t, p, k = given['truth'], given['predicted'], list(range(given['labels']))
present = sorted(set(t))
print(json.dumps({
  'wilson': [wilson(*x) for x in given['shares']],
  'mcnemar': [binomtest(b, b + c).pvalue for b, c in given['pairs']],
  'labels': [list(map(float, x)) for x in zip(*prf(t, p, labels=k, zero_division=0))],
  'macro': f1_score(t, p, labels=present, average='macro', zero_division=0),
  'weighted': f1_score(t, p, average='weighted', zero_division=0),
  'accuracy': accuracy_score(t, p),
}))
`;

interface Answer {
  readonly wilson: readonly (readonly [number, number])[];
  readonly mcnemar: readonly number[];
  readonly labels: readonly (readonly [number, number, number, number])[];
  readonly macro: number;
  readonly weighted: number;
  readonly accuracy: number;
}

test.skipIf(python === undefined)(
  `intervals, McNemar's test, precision, recall and F1 agree to 1e-9${note}`,
  { timeout: 60_000 },
  () => {
    const random = uniform(11);
    const below = (limit: number): number => Math.floor(random() * limit);
    const shares = Array.from({ length: 300 }, () => {
      const trials = 1 + below(10 ** (1 + below(6)));
      return [below(trials + 1), trials] as const;
    });
    const pairs = Array.from({ length: 300 }, () => [below(10 ** (1 + below(4))), 1 + below(2000)] as const);
    const labels = 9;
    const truth = Array.from({ length: 3000 }, () => below(labels - 1));
    const predicted = truth.map((label) => (random() < 0.7 ? label : below(labels)));
    const input = JSON.stringify({ shares, pairs, labels, truth, predicted });
    const answer = JSON.parse(execFileSync(python ?? '', ['-c', SCRIPT], { input, encoding: 'utf8' })) as Answer;
    const near = (ours: number, theirs: number): void => expect(Math.abs(ours - theirs)).toBeLessThan(1e-9);
    for (const [at, [successes, trials]] of shares.entries()) {
      const [low, high] = wilsonInterval(successes, trials);
      near(low, answer.wilson[at]?.[0] ?? Number.NaN);
      near(high, answer.wilson[at]?.[1] ?? Number.NaN);
    }
    for (const [at, [first, second]] of pairs.entries()) {
      near(mcnemarExact(first, second), answer.mcnemar[at] ?? Number.NaN);
    }
    const cells = new Float64Array(labels * labels);
    for (const [row, label] of truth.entries()) addTo(cells, label * labels + (predicted[row] as number));
    const scores = scoresOf({ labels, cells });
    for (const [at, { precision, recall, f1, support }] of scores.labels.entries()) {
      for (const [column, value] of [precision, recall, f1, support].entries()) {
        near(value, answer.labels[at]?.[column] ?? Number.NaN);
      }
    }
    near(scores.macroF1, answer.macro);
    near(scores.weightedF1, answer.weighted);
    near(scores.accuracy, answer.accuracy);
  },
);
