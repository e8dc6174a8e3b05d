/** Entities marked carelessly: models of entities learn the edges as they are marked. */
import type { Entity } from '../records/record.ts';
import { fold } from '../records/text.ts';
import { type CheckedRecord, defineCheck, type Scene, quote } from './check.ts';
import { flag } from './parameters.ts';

export const entitySpans = defineCheck({
  name: 'entity-spans',
  title: 'entities with blanks at their edges, overlapping, or marked in one of two equal texts',
  severity: 'warn',
  parameters: {
    overlapping: flag(true, 'Tell entities that overlap; switch it off where nested entities are meant.'),
  },
  start: ({ find }, { overlapping }) => ({
    group(records) {
      for (const found of records) {
        const { entities } = found.record;
        if (entities === undefined || entities.length === 0) continue;
        checkEdges(find, found, entities);
        if (overlapping) checkOverlaps(find, found, entities);
      }
      if (records.length > 1) checkMarkedOnce(find, records);
    },
  }),
});

function checkEdges(find: Scene['find'], found: CheckedRecord, entities: readonly Entity[]): void {
  for (const [index, { text, type }] of entities.entries()) {
    if (text.trim() === text) continue;
    find({
      subject: [found.record.text, 'edge', String(index), type],
      records: [found],
      place: `entities[${index}]`,
      message: `the ${type} ${quote(text)} begins or ends with a blank`,
      hint: 'mark the words alone',
    });
  }
}

function checkOverlaps(find: Scene['find'], found: CheckedRecord, entities: readonly Entity[]): void {
  const order = entities.map((_, index) => index).sort((a, b) => start(entities, a) - start(entities, b) || a - b);
  let reach = order[0] as number;
  for (const index of order.slice(1)) {
    const [before, entity] = [entities[reach] as Entity, entities[index] as Entity];
    if (entity.start < before.end) {
      find({
        subject: [found.record.text, 'overlap', String(index), entity.type, before.type],
        records: [found],
        place: `entities[${index}]`,
        message: `the ${entity.type} ${quote(entity.text)} overlaps the ${before.type} ${quote(before.text)}`,
        hint: 'keep one of them, or switch "overlapping" off where nesting is meant',
      });
    }
    if (entity.end > before.end) reach = index;
  }
}

function start(entities: readonly Entity[], index: number): number {
  return entities[index]?.start ?? 0;
}

function checkMarkedOnce(find: Scene['find'], records: readonly CheckedRecord[]): void {
  const forms = new Set(records.map(({ record }) => entityForm(record.entities ?? [])));
  if (forms.size < 2) return;
  const text = records[0]?.record.text ?? '';
  find({
    subject: [fold(text), 'differ'],
    records,
    place: 'entities',
    message: `${quote(text)} is there ${records.length} times, with different entities`,
    hint: 'mark the same words in all of them, or keep one',
  });
}

/** What is marked, wherever punctuation has moved it. */
function entityForm(entities: readonly Entity[]): string {
  return JSON.stringify(entities.map(({ type, role, text }) => JSON.stringify([type, role ?? '', fold(text)])).sort());
}
