/** What was measured, beside what the project promises, as tables. */
import { formatBytes, formatDuration, formatTable, median } from './measure.ts';

export type Unit = 'ms' | 'bytes' | 'rows/s' | 'MB/s' | 'times';

/** A promise: no more than this, or no less. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** One thing that was measured, with the value of each run. */
export interface Figure {
  readonly what: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly target?: Target | undefined;
}

const HEADER = ['what', 'target', 'median', 'runs'];

/** A Markdown table of figures; a target that the median misses is called missed. */
export function figureTable(figures: readonly Figure[]): string {
  return formatTable(
    HEADER,
    figures.map((figure) => [
      figure.what,
      targetCell(figure),
      formatValue(median(figure.values), figure.unit),
      spread(figure),
    ]),
  );
}

/** Whether the median keeps the promise; true where nothing is promised. */
export function isMet({ values, target }: Figure): boolean {
  if (target === undefined) return true;
  const value = median(values);
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/** A value for readers: `550 ms`, `213 kB`, `150 k rows/s`, `120 MB/s`, `6.4 ×`. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 'bytes':
      return formatBytes(value);
    case 'rows/s':
      return value < 1000 ? `${Math.round(value)} rows/s` : `${digits(value / 1000)} k rows/s`;
    case 'MB/s':
      return `${digits(value)} MB/s`;
    case 'times':
      return `${digits(value)} ×`;
  }
}

function targetCell(figure: Figure): string {
  const { target, unit } = figure;
  if (target === undefined) return '';
  const promise =
    'atMost' in target ? `≤ ${formatValue(target.atMost, unit)}` : `≥ ${formatValue(target.atLeast, unit)}`;
  return isMet(figure) ? promise : `${promise}, missed`;
}

function spread({ values, unit }: Figure): string {
  if (values.length === 1) return '1';
  const low = formatValue(Math.min(...values), unit);
  const high = formatValue(Math.max(...values), unit);
  return low === high ? `${values.length}: all ${low}` : `${values.length}: ${low} to ${high}`;
}

/** Three digits for small numbers, whole ones above. */
function digits(value: number): string {
  return value >= 99.95 ? String(Math.round(value)) : String(Number(value.toPrecision(value < 10 ? 2 : 3)));
}
