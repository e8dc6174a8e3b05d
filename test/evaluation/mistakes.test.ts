import { expect, test } from 'vitest';
import { MistakeList, Predicted } from '../../src/evaluation/mistakes.ts';
import { uniform } from '../../src/evaluation/random.ts';

test('what was predicted of every row comes back from the mistakes and the true labels', () => {
  const random = uniform(2);
  for (const share of [0, 0.01, 0.5, 1]) {
    const rows = Array.from({ length: 500 }, (_, row) => {
      const truth = `intent ${row % 7}`;
      return [truth, random() < share ? `intent ${Math.floor(random() * 9)}` : truth] as const;
    });
    const list = new MistakeList();
    for (const [truth, predicted] of rows) list.add(truth, predicted);
    const mistakes = list.finish();
    expect(mistakes.steps).toHaveLength(rows.filter(([truth, predicted]) => truth !== predicted).length);
    const back = new Predicted(JSON.parse(JSON.stringify(mistakes)) as typeof mistakes);
    expect(rows.map(([truth]) => back.next(truth))).toEqual(rows.map(([, predicted]) => predicted));
  }
});
