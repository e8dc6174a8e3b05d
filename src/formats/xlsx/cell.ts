/** What a cell holds, from what its tags say. */
import { CELL_CHARACTERS, decodeText } from './cell-text.ts';
import { formatNumber, type NumberKind } from './number-formats.ts';
import type { Workbook } from './workbook.ts';
import { isTrue } from './xml-stream.ts';

/** An `error` is a value of the spreadsheet's own, e.g. `#N/A`; a `fault` is a cell that cannot be read. */
export type CellKind = 'text' | NumberKind | 'boolean' | 'error' | 'fault';

export interface Cell {
  readonly kind: CellKind;
  /** As a table of texts would have it: `5`, `2024-03-01`, `TRUE`, `#N/A`; what is wrong with a `fault`. */
  readonly text: string;
  readonly isFormula: boolean;
}

/** The parts of a cell as they stand in the XML. */
export interface RawCell {
  readonly type: string | undefined;
  readonly style: string | undefined;
  /** Undefined where the cell has a text of its own. */
  readonly value: string | undefined;
  readonly inline: string;
  readonly isFormula: boolean;
}

/** What is said of a formula that no spreadsheet has computed yet. */
const NOT_COMPUTED = 'a formula whose value is not in the file';

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/iu;
const INDEX = /^\s*\d{1,10}\s*$/u;

/** The cell; undefined where it is empty. */
export function readCell(workbook: Workbook, raw: RawCell): Cell | undefined {
  const { type = 'n', value, isFormula } = raw;
  if (value === undefined) return textCell(decodeText(raw.inline), isFormula);
  if (value === '') {
    return isFormula && type !== 'str' ? { kind: 'error', text: NOT_COMPUTED, isFormula } : undefined;
  }
  switch (type) {
    case 's':
      return sharedCell(workbook, value, isFormula);
    case 'str':
    case 'inlineStr':
      return textCell(decodeText(value), isFormula);
    case 'b':
      return { kind: 'boolean', text: isTrue(value.trim()) ? 'TRUE' : 'FALSE', isFormula };
    case 'e':
      return { kind: 'error', text: `the error ${value.slice(0, 40)}`, isFormula };
    case 'd':
      return { kind: 'date', text: value.slice(0, 40), isFormula };
    default:
      return numberCell(workbook, value, raw);
  }
}

function textCell(text: string | undefined, isFormula: boolean): Cell | undefined {
  if (text === '') return undefined;
  if (text === undefined) return { kind: 'fault', text: `has more than ${CELL_CHARACTERS} characters`, isFormula };
  return { kind: 'text', text, isFormula };
}

function sharedCell({ strings }: Workbook, value: string, isFormula: boolean): Cell | undefined {
  const index = Number(value);
  if (INDEX.test(value) && strings.has(index)) return textCell(strings.get(index), isFormula);
  return { kind: 'fault', text: `refers to the text ${value.slice(0, 20)}, which is not in the file`, isFormula };
}

function numberCell({ styles, is1904 }: Workbook, value: string, { style, isFormula }: RawCell): Cell {
  const number = Number(value);
  if (!NUMBER.test(value) || !Number.isFinite(number)) {
    return { kind: 'fault', text: `holds ${JSON.stringify(value.slice(0, 40))}, which is no number`, isFormula };
  }
  const kind = style === undefined ? 'number' : (styles[Number(style)] ?? 'number');
  return { kind, text: formatNumber(number, kind, is1904), isFormula };
}
