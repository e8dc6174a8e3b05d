/** Which rows of a batch a page shows: all of a small one, and of a large one those that say something. */
import { throwIfAborted } from '../base/errors.ts';
import type { BatchEffect, BatchReportRow } from './batch-report.ts';

/** A page with more rows is slow to open and to search. */
export const SHOWN_LIMIT = 10_000;

/** What changes nothing, and is shown only where there is room for all. */
const IDLE: ReadonlySet<BatchEffect> = new Set(['unchanged', 'duplicate']);

export interface ShownRows {
  /** In the order of the batch. */
  readonly shown: readonly BatchReportRow[];
  readonly total: number;
  /** How many of all rows have a problem. */
  readonly problems: number;
  /** All rows by effect, in the order in which effects come first. */
  readonly effects: ReadonlyMap<BatchEffect, number>;
}

interface Numbered {
  readonly at: number;
  readonly row: BatchReportRow;
}

/** Chooses the rows, keeping few of them: problems first, then changes, then the rest. @throws aborted */
export async function selectRows(
  rows: AsyncIterable<readonly BatchReportRow[]>,
  signal?: AbortSignal,
  limit = SHOWN_LIMIT,
): Promise<ShownRows> {
  const [problems, changes, others]: [Numbered[], Numbered[], Numbered[]] = [[], [], []];
  const effects = new Map<BatchEffect, number>();
  let total = 0;
  let problemCount = 0;
  for await (const batch of rows) {
    throwIfAborted(signal);
    for (const row of batch) {
      effects.set(row.effect, (effects.get(row.effect) ?? 0) + 1);
      if (row.problem !== '') problemCount++;
      const pile = row.problem !== '' ? problems : IDLE.has(row.effect) ? others : changes;
      if (pile.length < limit) pile.push({ at: total, row });
      total++;
    }
  }
  const chosen = total <= limit ? [...problems, ...changes, ...others] : [...problems, ...changes].slice(0, limit);
  const shown = chosen.toSorted((a, b) => a.at - b.at).map(({ row }) => row);
  return { shown, total, problems: problemCount, effects };
}
