/** Reports of invented batches. */
import type { BatchReport, BatchReportRow } from '../../src/report/batch-report.ts';

export function reportRow(row: Partial<BatchReportRow> = {}): BatchReportRow {
  const { text = 'hello', intent = 'greet' } = row;
  return {
    file: 'batch.csv',
    row: 1,
    place: 'batch.csv:2',
    cells: [text, intent],
    effect: 'new',
    problem: '',
    ...row,
    text,
    intent,
  };
}

export function reportOf(rows: readonly BatchReportRow[], rest: Partial<BatchReport> = {}): BatchReport {
  return {
    dataset: 'support',
    title: 'batch.csv into support',
    counts: { rows: rows.length, new: rows.filter(({ effect }) => effect === 'new').length },
    intents: [{ intent: 'greet', before: 3, after: 5 }],
    columns: () => ['text', 'intent'],
    rows: inBatches(rows),
    ...rest,
  };
}

async function* inBatches(rows: readonly BatchReportRow[]): AsyncGenerator<readonly BatchReportRow[]> {
  for (let from = 0; from < rows.length; from += 1000) yield rows.slice(from, from + 1000);
}

export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}
