/** The pieces that a record is written as; both Dialogflows cut texts at the bounds of entities. */
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { cutPieces } from '../spans.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { defaultParameter } from './names.ts';

/** undefined, and counted, where there are no such pieces. */
export function writablePieces(
  { text, entities = [] }: UtteranceRecord,
  report: WriteReportBuilder,
): { readonly text: string; readonly label?: Entity }[] | undefined {
  const pieces = cutPieces(text, entities);
  if (pieces === undefined) report.lose('record', 'is left out: its entities overlap');
  else if (entities.some(({ type, role }) => role === defaultParameter(type))) {
    report.lose('entities.role', 'that are called as the type reads back as none');
  }
  return pieces;
}
