import { expect, test } from 'vitest';
import type { BatchEffect } from '../../src/report/batch-report.ts';
import { selectRows } from '../../src/report/shown-rows.ts';
import { reportOf, reportRow } from './support.ts';

/** Rows named by their effect, problems in capitals. */
async function chosen(given: string, limit: number): Promise<string> {
  const effects: Readonly<Record<string, BatchEffect>> = { n: 'new', u: 'unchanged', r: 'rejected' };
  const rows = given.split('').map((letter) =>
    reportRow({
      text: letter,
      effect: effects[letter.toLowerCase()] as BatchEffect,
      problem: letter === letter.toUpperCase() ? 'wrong' : '',
    }),
  );
  const { shown, total, problems } = await selectRows(reportOf(rows).rows, undefined, limit);
  return `${shown.map(({ text }) => text).join('')} of ${total}, ${problems} wrong`;
}

test('a small batch is shown as it is', async () => {
  expect(await chosen('nuRnU', 5)).toBe('nuRnU of 5, 2 wrong');
  expect(await chosen('', 5)).toBe(' of 0, 0 wrong');
});

test('of a large one problems are shown before changes, in the order of the batch, and nothing else', async () => {
  expect(await chosen('uunuRuU', 5)).toBe('nRU of 7, 2 wrong');
  expect(await chosen('nnnnRn', 3)).toBe('nnR of 6, 1 wrong');
  expect(await chosen('RRRRn', 3)).toBe('RRR of 5, 4 wrong');
});
