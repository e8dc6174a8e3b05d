/**
 * Cleaning that a dataset asks for: what is changed in texts before they become records, counted rule by rule.
 *
 * Y1  A record that no rule applies to comes back as it was.
 * Y2  Cleaning what was cleaned changes nothing.
 * Y3  Every entity of a cleaned record covers the text that it says it covers.
 *
 * Rules run in a fixed order: HTML, masks, whitespace, length. A mask is a word in angle brackets, which folding takes
 * for the word: texts that differ in their telephone numbers alone become one group.
 */
import { hasLuhnDigit } from './check-digit.ts';
import { codePointCount, codePointOffsets, unitOffsets } from './code-points.ts';
import { makeRecord } from './make-record.ts';
import type { Entity, UtteranceRecord } from './record.ts';
import { WHITESPACE_RUN } from './text.ts';

/** What can be masked. */
export const MASKS = ['email', 'card', 'phone'] as const;
export type Mask = (typeof MASKS)[number];

/** `clean` of a dataset in uttr.json; nothing is done by default. */
export interface CleanRules {
  /** Takes tags away, and reads character references. */
  readonly stripHtml?: boolean | undefined;
  /** Puts `<email>`, `<card>` or `<phone>` in the place of such. */
  readonly mask?: readonly Mask[] | undefined;
  /** Makes one blank of every run of whitespace. */
  readonly collapseWhitespace?: boolean | undefined;
  /** Drops texts of more code points. */
  readonly maxCharacters?: number | undefined;
}

/** Rules by their names in reports. */
export type CleanRule = 'stripHtml' | `mask ${Mask}` | 'collapseWhitespace' | 'maxCharacters' | 'empty';

/** Each round but the last finds less than the one before: texts that mean well need one or two. */
const ROUND_LIMIT = 20;

/** A stretch of a text in UTF-16 code units, and what takes its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Cleaned {
  /** undefined: the record is dropped. */
  readonly record: UtteranceRecord | undefined;
  /** Rules that changed it. */
  readonly applied: readonly CleanRule[];
}

/** Whether the rules do anything at all. */
export function hasRules(rules: CleanRules): boolean {
  return makeCleaner(rules) !== undefined;
}

/** Applies the rules to a record. */
export type Cleaner = (record: UtteranceRecord) => Cleaned;

/** What applies the rules; undefined where they do nothing. To be made once for many records. */
export function makeCleaner(rules: CleanRules): Cleaner | undefined {
  const rounds = editors(rules);
  if (rounds.length === 0 && rules.maxCharacters === undefined) return undefined;
  return (record) => cleanWith(record, rounds, rules.maxCharacters ?? Infinity);
}

/** Applies the rules to one record. */
export function cleanRecord(record: UtteranceRecord, rules: CleanRules): Cleaned {
  return makeCleaner(rules)?.(record) ?? { record, applied: [] };
}

function cleanWith(record: UtteranceRecord, rounds: readonly Editor[], maxCharacters: number): Cleaned {
  const did = new Set<CleanRule>();
  let { text, entities } = record;
  let isChanged = rounds.length > 0;
  // What one rule leaves may be what another looks for.
  for (let round = 0; isChanged && round < ROUND_LIMIT; round += 1) {
    isChanged = false;
    for (const { rule, edits } of rounds) {
      const found = edits(text);
      if (found.length === 0) continue;
      isChanged = true;
      did.add(rule);
      entities = entities === undefined ? undefined : moveEntities(text, entities, found);
      text = applyEdits(text, found);
    }
  }
  const applied = rounds.map(({ rule }) => rule).filter((rule) => did.has(rule));
  if (text.length > maxCharacters && codePointCount(text) > maxCharacters) {
    return { record: undefined, applied: [...applied, 'maxCharacters'] };
  }
  if (applied.length === 0) return { record, applied };
  const { entities: _, ...rest } = record;
  const made = makeRecord({ ...rest, text, ...(entities === undefined ? {} : { entities }) });
  // What held nothing but tags has no text any more.
  return 'record' in made ? { record: made.record, applied } : { record: undefined, applied: [...applied, 'empty'] };
}

interface Editor {
  readonly rule: CleanRule;
  /** In ascending order, none touching another; only such as change the text. */
  readonly edits: (text: string) => Edit[];
}

function editors({ stripHtml, mask = [], collapseWhitespace }: CleanRules): Editor[] {
  return [
    ...(stripHtml === true ? [{ rule: 'stripHtml', edits: htmlEdits } as const] : []),
    ...MASKS.filter((name) => mask.includes(name)).map((name): Editor => ({
      rule: `mask ${name}`,
      edits: (text) => maskEdits(text, name),
    })),
    ...(collapseWhitespace === true ? [{ rule: 'collapseWhitespace', edits: whitespaceEdits } as const] : []),
  ];
}

const TAG = /<(\/?)([a-z][a-z0-9]*)\b[^<>]*>|<!--.*?-->|&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gisu;
/** Tags within a line of text: what they stand between is one word. */
const INLINE = new Set('a abbr b big cite code em font i mark s small span strong sub sup u'.split(' '));
/** Names of our own masks look like tags. */
const MASK_NAMES: ReadonlySet<string> = new Set(MASKS);
const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function htmlEdits(text: string): Edit[] {
  if (!/[<&]/u.test(text)) return [];
  const edits: Edit[] = [];
  for (const match of text.matchAll(TAG)) {
    const [whole, , tag, decimal, hexadecimal, name] = match;
    const { index: start } = match;
    const replaced = tag === undefined ? referenced(whole, decimal, hexadecimal, name) : tagText(tag);
    if (replaced !== undefined) edits.push({ start, end: start + whole.length, text: replaced });
  }
  return edits;
}

function tagText(tag: string): string | undefined {
  const name = tag.toLowerCase();
  if (MASK_NAMES.has(name)) return undefined;
  return INLINE.has(name) ? '' : ' ';
}

/** The character that a reference stands for; undefined where it stands for none, or would begin a tag or a reference. */
function referenced(
  whole: string,
  decimal: string | undefined,
  hexadecimal: string | undefined,
  name: string | undefined,
): string | undefined {
  if (whole.startsWith('<!--')) return ' ';
  if (name !== undefined) return keepEscaped(REFERENCES[name.toLowerCase()]);
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  const isCharacter = code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
  return isCharacter ? keepEscaped(String.fromCodePoint(code)) : undefined;
}

/** Y2: what would be read as HTML once more stays as it is. */
function keepEscaped(character: string | undefined): string | undefined {
  return character === '<' || character === '&' ? undefined : character;
}

const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
const DIGITS = /(?<![\p{L}\p{N}.])\+?\(?\d(?:[ ()./-]{0,2}\d){6,18}(?![\p{L}\p{N}])/gu;

function maskEdits(text: string, mask: Mask): Edit[] {
  const pattern = mask === 'email' ? EMAIL : DIGITS;
  return [...text.matchAll(pattern)]
    .filter(([found]) => mask === 'email' || isCard(found) === (mask === 'card'))
    .filter(([found]) => mask !== 'phone' || isPhone(found))
    .map(({ 0: found, index: start }) => ({ start, end: start + found.length, text: `<${mask}>` }));
}

/** By its length and its check digit. */
function isCard(found: string): boolean {
  const digits = found.replaceAll(/\D/gu, '');
  return digits.length >= 13 && digits.length <= 19 && hasLuhnDigit(digits);
}

/** At most 15 digits (ITU-T E.164), and no plain number: those have no separators and no plus. */
function isPhone(found: string): boolean {
  const digits = found.replaceAll(/\D/gu, '');
  return digits.length <= 15 && (/[+() /-]/u.test(found) || digits.startsWith('0'));
}

function whitespaceEdits(text: string): Edit[] {
  return [...text.matchAll(WHITESPACE_RUN)]
    .filter(([run]) => run !== ' ')
    .map(({ 0: run, index: start }) => ({ start, end: start + run.length, text: ' ' }));
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

/** Moves entities along; one whose bound lies within an edit takes in all of what is put there. */
function moveEntities(text: string, entities: readonly Entity[], edits: readonly Edit[]): Entity[] {
  const units = unitOffsets(text);
  const edited = applyEdits(text, edits);
  const points = codePointOffsets(edited);
  const moved: Entity[] = [];
  for (const entity of entities) {
    const start = points[moveUnit(units[entity.start] as number, edits, 'start')] as number;
    const end = points[moveUnit(units[entity.end] as number, edits, 'end')] as number;
    if (end <= start) continue;
    moved.push({ ...entity, start, end, text: Array.from(edited).slice(start, end).join('') });
  }
  return moved;
}

function moveUnit(unit: number, edits: readonly Edit[], bound: 'start' | 'end'): number {
  let shift = 0;
  for (const { start, end, text } of edits) {
    const isBefore = bound === 'start' ? end <= unit : end < unit || (end === unit && start < unit);
    if (isBefore) {
      shift += text.length - (end - start);
      continue;
    }
    if (start < unit) return start + shift + (bound === 'start' ? 0 : text.length);
    break;
  }
  return unit + shift;
}
