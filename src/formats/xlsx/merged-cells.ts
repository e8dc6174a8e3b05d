/**
 * Cells that are merged over several rows: only the first has the value, but all are meant.
 *
 * The list of them comes after the rows, so a sheet is looked through before it is read; that also finds any damage
 * before the first row is handed on.
 */
import { COLUMN_LIMIT } from '../format.ts';
import { type CellRange, parseRange } from './cell-address.ts';
import type { Cell } from './cell.ts';
import type { SheetRow } from './sheet-rows.ts';
import type { Sheet, Workbook } from './workbook.ts';
import { badPart, parseXml } from './xml-stream.ts';

const MARK = Buffer.from('mergeCell ');
const MERGE_LIMIT = 500_000;

/** The cells that are merged over several rows, from the top down. @throws bad-format */
export async function readMerges(workbook: Workbook, sheet: Sheet): Promise<readonly CellRange[]> {
  if (!(await mentionsMerges(sheet))) return [];
  const ranges: CellRange[] = [];
  await parseXml(workbook.file, sheet.part, {
    open(name, attributes) {
      const range = name === 'mergeCell' ? parseRange(attributes['ref'] ?? '') : undefined;
      if (range === undefined || range.top === range.bottom) return;
      if (ranges.length === MERGE_LIMIT) throw badPart(workbook.file, sheet.part.path, 'it merges too many cells');
      ranges.push(range);
    },
    close: () => undefined,
    text: () => undefined,
  });
  return ranges.sort((a, b) => a.top - b.top);
}

/** Reading bytes is many times faster than reading XML. */
async function mentionsMerges({ part }: Sheet): Promise<boolean> {
  let isThere = false;
  let tail: Uint8Array = new Uint8Array(0);
  for await (const bytes of part.stream()) {
    if (isThere) continue;
    isThere = bytes.includes(MARK) || Buffer.concat([tail, bytes.subarray(0, MARK.length)]).includes(MARK);
    tail = bytes.subarray(-MARK.length);
  }
  return isThere;
}

/** Puts the value of merged cells into the rows below, which must come in their order. */
export class MergeFiller {
  readonly #ranges: readonly CellRange[];
  #next = 0;
  #open: { readonly range: CellRange; readonly cell: Cell | undefined }[] = [];

  constructor(ranges: readonly CellRange[]) {
    this.#ranges = ranges;
  }

  /** @returns cells that were filled */
  fill({ number, cells }: SheetRow): number {
    if (this.#next === this.#ranges.length && this.#open.length === 0) return 0;
    this.#open = this.#open.filter(({ range }) => range.bottom >= number);
    let filled = 0;
    for (const { range, cell } of this.#open) {
      if (cell === undefined || cells[range.left] !== undefined) continue;
      cells[range.left] = cell;
      filled++;
    }
    for (; (this.#ranges[this.#next]?.top ?? Infinity) <= number; this.#next++) {
      const range = this.#ranges[this.#next] as CellRange;
      // Merged cells never overlap, so there are no more at once than columns; a file that says otherwise is ignored.
      if (range.top === number && this.#open.length < COLUMN_LIMIT) {
        this.#open.push({ range, cell: cells[range.left] });
      }
    }
    return filled;
  }
}
