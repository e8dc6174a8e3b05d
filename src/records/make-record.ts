/**
 * From whatever a reader found in a row to a valid record, or to everything that is wrong with the row.
 *
 * R8   A made record obeys every limit of this layer, and its canonical JSON reads back as the same record.
 * R9   Making a record of a made record changes nothing.
 * R10  Every entity of a made record covers exactly the text it says it covers, wherever the text was trimmed.
 *
 * Texts are kept as given but for whitespace at their ends. Names (intents, ids, languages) are trimmed too, and
 * intents are brought to NFC: two labels that look the same are the same label.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { makeEntities } from './make-entities.ts';
import { makeFeatures, makeMeta } from './make-fields.ts';
import type { UtteranceRecord } from './record.ts';
import {
  type FieldProblem,
  kindOf,
  NAME_LIMIT_BYTES,
  nameProblem,
  RowProblems,
  stringProblem,
  TEXT_LIMIT_BYTES,
} from './row-problems.ts';
import { trim } from './text.ts';
import { apart } from '../base/own-memory.ts';
import { RecentTexts } from './recent-texts.ts';

/** Labels that one record may have. */
export const INTENT_LIMIT = 100;
/** UTF-8 bytes of a record's canonical JSON. */
export const RECORD_LIMIT_BYTES = 1_048_576;

/** The fields of a row as a reader found them; absent, undefined and null mean the same. */
export interface LooseRecord {
  readonly text?: unknown;
  readonly intent?: unknown;
  readonly id?: unknown;
  readonly lang?: unknown;
  readonly entities?: unknown;
  readonly features?: unknown;
  readonly meta?: unknown;
}

export type MadeRecord =
  | {
      readonly record: UtteranceRecord;
      /** Whether whitespace was dropped from the ends of the text. */
      readonly trimmed: boolean;
    }
  | { readonly problems: readonly FieldProblem[] };

/** The record under construction. */
type Draft = { -readonly [Key in keyof UtteranceRecord]: UtteranceRecord[Key] };

/** Makes a valid record, or tells all that is wrong with the row. Never throws. */
export function makeRecord(loose: LooseRecord): MadeRecord {
  const problems = new RowProblems();
  const text = makeText(loose.text, problems);
  const draft: Draft = { text };
  setIntent(draft, loose.intent, problems);
  setId(draft, loose.id, problems);
  setLang(draft, loose.lang, problems);
  if (isGiven(loose.entities) && text !== '') {
    const entities = makeEntities(loose.text as string, loose.entities, problems);
    if (entities.length > 0) draft.entities = entities;
  }
  if (isGiven(loose.features)) {
    const features = makeFeatures(loose.features, problems);
    if (features !== undefined) draft.features = features;
  }
  if (isGiven(loose.meta)) {
    const meta = makeMeta(loose.meta, problems);
    if (meta !== undefined) draft.meta = meta;
  }
  if (problems.found.length === 0) checkSize(draft, problems);
  if (problems.found.length > 0) return { problems: problems.found };
  return { record: draft, trimmed: text.length !== (loose.text as string).length };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The trimmed text; empty where there is a problem. */
function makeText(given: unknown, problems: RowProblems): string {
  if (typeof given !== 'string') {
    problems.add('text', isGiven(given) ? `is ${kindOf(given)}, not a text` : 'is missing');
    return '';
  }
  const text = trim(given);
  const problem = text === '' ? 'is empty' : stringProblem(text, TEXT_LIMIT_BYTES);
  if (problem === undefined) return text;
  problems.add('text', problem);
  return '';
}

function setIntent(draft: Draft, given: unknown, problems: RowProblems): void {
  if (!isGiven(given)) return;
  if (typeof given === 'string') {
    const name = makeIntent(given, problems);
    if (name !== undefined) draft.intent = name;
  } else if (Array.isArray(given)) {
    setIntents(draft, given, problems);
  } else {
    problems.add('intent', `is ${kindOf(given)}, not a text or a list of texts`);
  }
}

function setIntents(draft: Draft, given: readonly unknown[], problems: RowProblems): void {
  if (given.length > INTENT_LIMIT) {
    problems.add('intent', `has ${given.length} labels, more than the ${INTENT_LIMIT} allowed`);
    return;
  }
  const names = new Set<string>();
  for (const item of given) {
    const name = makeIntent(item, problems);
    if (name !== undefined) names.add(name);
  }
  const sorted = [...names].sort();
  const [first] = sorted;
  if (first !== undefined) draft.intent = sorted.length === 1 ? first : sorted;
}

/** Labels as given, with what they are. */
const recentIntents = new RecentTexts<string>();

function makeIntent(given: unknown, problems: RowProblems): string | undefined {
  if (typeof given !== 'string') {
    problems.add('intent', `has ${kindOf(given)} among its labels, not a text`);
    return undefined;
  }
  const known = recentIntents.get(given);
  if (known !== undefined) return known;
  const name = trim(given).normalize('NFC');
  const problem = nameProblem(name);
  if (problem === undefined) {
    recentIntents.set(given, apart(name));
    return name;
  }
  problems.add('intent', problem);
  return undefined;
}

function setId(draft: Draft, given: unknown, problems: RowProblems): void {
  if (typeof given === 'number') {
    if (Number.isSafeInteger(given)) draft.id = String(given);
    else problems.add('id', `is ${given}; only whole numbers below 2^53 are exact, so quote it`);
    return;
  }
  const id = makeName('id', given, problems);
  if (id !== undefined) draft.id = id;
}

function setLang(draft: Draft, given: unknown, problems: RowProblems): void {
  const lang = makeName('lang', given, problems);
  if (lang !== undefined) draft.lang = lang;
}

/** A trimmed id or language; an empty cell of a table means that there is none. */
function makeName(column: string, given: unknown, problems: RowProblems): string | undefined {
  if (!isGiven(given)) return undefined;
  if (typeof given !== 'string') {
    problems.add(column, `is ${kindOf(given)}, not a text`);
    return undefined;
  }
  const name = trim(given);
  if (name === '') return undefined;
  const problem = nameProblem(name);
  if (problem === undefined) return name;
  problems.add(column, problem);
  return undefined;
}

/** What id, language and intents take at most: names hold no control characters, so a byte is escaped to two. */
const NAMED_PART_LIMIT_BYTES = 2 * (INTENT_LIMIT + 2) * NAME_LIMIT_BYTES;

/** Only features, entities and meta can make a record too large: the rest has limits of its own. */
function checkSize(draft: Draft, problems: RowProblems): void {
  if (draft.meta === undefined && boundBytes(draft) <= RECORD_LIMIT_BYTES) return;
  const sizeBytes = Buffer.byteLength(canonicalJson(draft as unknown as JsonValue));
  if (sizeBytes <= RECORD_LIMIT_BYTES) return;
  problems.add('text', `belongs to a record of ${sizeBytes} bytes, more than the ${RECORD_LIMIT_BYTES} allowed`);
}

/** A bound of the canonical JSON without meta, from lengths alone; a control character takes six bytes. */
function boundBytes(draft: Draft): number {
  let units = draft.text.length;
  let fields = 0;
  for (const name in draft.features) {
    const value = draft.features[name];
    units += name.length + (typeof value === 'string' ? value.length : 0);
    fields++;
  }
  for (const entity of draft.entities ?? []) {
    units += entity.text.length + entity.type.length + (entity.role?.length ?? 0);
    units += (entity.group?.length ?? 0) + (entity.value?.length ?? 0);
    fields++;
  }
  return NAMED_PART_LIMIT_BYTES + 6 * units + 200 * fields;
}
