import { describe, expect, test } from 'vitest';
import { type Figure, figureTable, formatValue, isMet, type Unit } from '../../../scripts/bench/figures.ts';

describe('a figure', () => {
  test('is judged by its median', () => {
    const time: Figure = { what: 'add', unit: 'ms', values: [500, 700, 590], target: { atMost: 600 } };
    expect(isMet(time)).toBe(true);
    expect(isMet({ ...time, values: [500, 700, 601] })).toBe(false);
    expect(isMet({ ...time, target: { atLeast: 590 } })).toBe(true);
    expect(isMet({ ...time, target: { atLeast: 591 } })).toBe(false);
  });

  test('without a target is always good', () => {
    expect(isMet({ what: 'add', unit: 'ms', values: [1e9] })).toBe(true);
  });

  test.each<[number, Unit, string]>([
    [550, 'ms', '550 ms'],
    [213_000, 'bytes', '213 kB'],
    [150_000, 'rows/s', '150 k rows/s'],
    [98_760, 'rows/s', '98.8 k rows/s'],
    [512.4, 'rows/s', '512 rows/s'],
    [120, 'MB/s', '120 MB/s'],
    [6.42, 'times', '6.4 ×'],
    [12.06, 'times', '12.1 ×'],
  ])('%d %s read as %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});

describe('a table of figures', () => {
  test('shows target, median and range, and says which targets are missed', () => {
    const table = figureTable([
      { what: '`add`', unit: 'ms', values: [510, 540, 620], target: { atMost: 600 } },
      { what: 'stored', unit: 'times', values: [9, 9, 9], target: { atMost: 8 } },
      { what: 'the file', unit: 'bytes', values: [143_990_832] },
    ]);
    expect(table).toBe(
      [
        '| what     |        target | median |                runs |',
        '| -------- | ------------: | -----: | ------------------: |',
        '| `add`    |      ≤ 600 ms | 540 ms | 3: 510 ms to 620 ms |',
        '| stored   | ≤ 8 ×, missed |    9 × |          3: all 9 × |',
        '| the file |               | 144 MB |                   1 |',
        '',
      ].join('\n'),
    );
  });
});
