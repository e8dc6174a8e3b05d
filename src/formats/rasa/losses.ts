/** What no form of Rasa's training data keeps. */
import type { UtteranceRecord } from '../../records/record.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { hasDefaultValue } from './annotations.ts';

/** Counts a record whose entities have values that are read back as the default they are. */
export function loseDefaults({ entities = [] }: UtteranceRecord, report: WriteReportBuilder): void {
  if (entities.some((entity) => entity.value !== undefined && hasDefaultValue(entity))) {
    report.lose('entities.value', 'values that are the covered text itself, which is what Rasa takes anyway');
  }
}
