/**
 * An utterance of a Snips YAML dataset, with inline slots.
 *
 *   slot = "[" name [ ":" entity ] "]" [ "(" text ")" ]
 *
 * The name comes first and the text second, the reverse of Rasa. A slot without text stands for any value of its
 * entity, so that the utterance is a template. There are no escapes.
 */
import type { PieceLabel, TextPiece } from '../spans.ts';
import { slotLabel } from './slot-label.ts';

/** The pieces of an utterance, `template` where a slot has no text, or what is wrong with it. */
export type SnipsLine =
  | { readonly kind: 'utterance'; readonly pieces: readonly TextPiece[] }
  | { readonly kind: 'template' }
  | { readonly kind: 'broken'; readonly problem: string };

/** The slots that a line names with their entity; those that stand alone are named elsewhere. */
export function mappedSlots(line: string): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const { name, entity } of slotsIn(line)) if (entity !== undefined) found.push([name, entity]);
  return found;
}

/** @param entities the entity of each slot that has one. */
export function parseSnipsLine(line: string, entities: ReadonlyMap<string, string>): SnipsLine {
  const pieces: TextPiece[] = [];
  let isTemplate = false;
  let at = 0;
  for (const slot of slotsIn(line)) {
    if (slot.name === '') return { kind: 'broken', problem: 'a slot has no name' };
    if (slot.start > at) pieces.push({ text: line.slice(at, slot.start) });
    const label = slotLabel(slot.entity ?? entities.get(slot.name), slot.name) as PieceLabel;
    if (slot.text === undefined) isTemplate = true;
    else if (slot.text === '') return { kind: 'broken', problem: `the slot "${slot.name}" has no text` };
    else pieces.push({ text: slot.text, label });
    at = slot.end;
  }
  if (isTemplate) return { kind: 'template' };
  if (at < line.length) pieces.push({ text: line.slice(at) });
  return { kind: 'utterance', pieces };
}

interface Slot {
  readonly name: string;
  readonly entity: string | undefined;
  readonly text: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** A bracket that is not closed is a bracket. */
function* slotsIn(line: string): Generator<Slot> {
  for (let start = line.indexOf('['); start >= 0;) {
    const close = line.indexOf(']', start);
    if (close < 0) return;
    const [name = '', ...entity] = line.slice(start + 1, close).split(':');
    const textEnd = line[close + 1] === '(' ? line.indexOf(')', close + 2) : -1;
    const end = textEnd < 0 ? close + 1 : textEnd + 1;
    yield {
      name: name.trim(),
      entity: entity.join(':').trim() || undefined,
      text: textEnd < 0 ? undefined : line.slice(close + 2, textEnd),
      start,
      end,
    };
    start = line.indexOf('[', end);
  }
}
