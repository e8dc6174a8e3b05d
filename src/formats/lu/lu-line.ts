/**
 * One utterance of a .lu file: text with inline labels, which may be nested.
 *
 *   label   = "{" [ "@" ] name [ ":" role ] "=" { character | label } "}"
 *   pattern = a line with "{name}" (no "="), or, without labels, with "[…]" or "(…|…)"
 *
 * Outside labels `\{` and `\}` are braces, and of backslashes right before a label one is dropped; all other backslashes
 * are themselves. Within a label, `\{`, `\}` and `\\` stand for the second character. In a line without labels, `\[`,
 * `\]`, `\(` and `\)` are brackets: unescaped ones can make it a pattern. Blanks around names, and before the text of a
 * label, are no part of them.
 */
import { canonicalJson, type JsonValue } from '../../base/canonical-json.ts';
import { makeRecord } from '../../records/make-record.ts';
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { codePointCount } from '../../records/code-points.ts';

/** A marked stretch, in code points. */
export interface LuLabel {
  readonly type: string;
  readonly role?: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** What an item of a list is. */
export type LuLine =
  | { readonly kind: 'utterance'; readonly text: string; readonly entities: readonly LuLabel[] }
  /** A template: no text that anyone said. */
  | { readonly kind: 'pattern' }
  /** A link to utterances of another file. */
  | { readonly kind: 'reference' }
  | { readonly kind: 'broken'; readonly problem: string };

interface OpenLabel {
  readonly type: string;
  readonly role: string | undefined;
  readonly start: number;
}

/** Stands for an escaped bracket where only unescaped ones are looked for. */
const NEUTRAL = '\0';

/** @param line without the mark of the item, and without blanks at its ends. */
export function parseLine(line: string): LuLine {
  return new LineScanner(line).scan();
}

class LineScanner {
  readonly #line: string;
  readonly #hasLabels: boolean;
  #at = 0;
  #text = '';
  /** The text with escaped brackets made neutral; only where there are no labels. */
  #skeleton = '';
  /** Code points of the text. */
  #length = 0;
  #hasPlaceholder = false;
  #problem: string | undefined;
  readonly #open: OpenLabel[] = [];
  readonly #labels: LuLabel[] = [];

  constructor(line: string) {
    this.#line = line;
    this.#hasLabels = hasOpenBrace(line);
  }

  scan(): LuLine {
    while (this.#at < this.#line.length && this.#problem === undefined) this.#step();
    if (this.#open.length > 0) this.#problem ??= 'a label is not closed; a brace that is meant as such is written \\{';
    if (this.#problem !== undefined) return { kind: 'broken', problem: this.#problem };
    if (this.#hasPlaceholder) return { kind: 'pattern' };
    if (!this.#hasLabels && isReference(this.#skeleton)) return { kind: 'reference' };
    if (!this.#hasLabels && isPattern(this.#skeleton)) return { kind: 'pattern' };
    return { kind: 'utterance', text: this.#text, entities: this.#labels };
  }

  #step(): void {
    const character = this.#line[this.#at] as string;
    if (character === '\\') {
      if (this.#open.length > 0) this.#escapeInLabel();
      else this.#escape();
    } else if (character === '{') this.#openLabel();
    else if (character === '}') this.#closeLabel();
    else {
      const end = nextSpecial(this.#line, this.#at);
      this.#take(this.#line.slice(this.#at, end));
      this.#at = end;
    }
  }

  #take(part: string, skeleton = part): void {
    this.#text += part;
    if (this.#hasLabels) this.#length += codePointCount(part);
    else this.#skeleton += skeleton;
  }

  #escapeInLabel(): void {
    const next = this.#line[this.#at + 1] ?? '';
    const isEscape = next === '\\' || next === '{' || next === '}';
    this.#take(isEscape ? next : '\\');
    this.#at += isEscape ? 2 : 1;
  }

  #escape(): void {
    let end = this.#at;
    while (this.#line[end] === '\\') end++;
    const run = end - this.#at;
    const next = this.#line[end] ?? '';
    const isOdd = run % 2 === 1;
    this.#at = end;
    if (next === '{' && !isOdd) {
      this.#take('\\'.repeat(run - 1));
    } else if (((next === '{' || next === '}') && isOdd) || (!this.#hasLabels && '[]()'.includes(next || ' '))) {
      this.#take('\\'.repeat(run - 1));
      this.#take(next, NEUTRAL);
      this.#at++;
    } else {
      this.#take('\\'.repeat(run));
    }
  }

  #openLabel(): void {
    const end = endOfName(this.#line, this.#at + 1);
    const stop = this.#line[end];
    const { type, role } = parseName(this.#line.slice(this.#at + 1, end));
    this.#at = end + 1;
    if (stop === '}') {
      this.#hasPlaceholder = true;
    } else if (stop !== '=') {
      this.#problem = 'a brace opens no label; one that is meant as such is written \\{';
    } else if (type === '') {
      this.#problem = 'a label has no name';
    } else {
      while (this.#line[this.#at] === ' ') this.#at++;
      this.#open.push({ type, role, start: this.#length });
    }
  }

  #closeLabel(): void {
    const label = this.#open.pop();
    this.#at++;
    if (label === undefined) this.#problem = 'a brace closes no label; one that is meant as such is written \\}';
    else if (label.start === this.#length && !this.#hasPlaceholder)
      this.#problem = `the label "${label.type}" is empty`;
    else this.#labels.push({ ...label, end: this.#length });
  }
}

/** Whether a brace opens that is not escaped. */
function hasOpenBrace(line: string): boolean {
  for (let at = line.indexOf('{'); at >= 0; at = line.indexOf('{', at + 1)) {
    let run = 0;
    while (line[at - 1 - run] === '\\') run++;
    if (run % 2 === 0) return true;
  }
  return false;
}

function nextSpecial(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== '\\' && line[at] !== '{' && line[at] !== '}') at++;
  return at;
}

function endOfName(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== '=' && line[at] !== '{' && line[at] !== '}') at++;
  return at;
}

function parseName(name: string): { readonly type: string; readonly role: string | undefined } {
  const trimmed = name.trim();
  const plain = trimmed.startsWith('@') ? trimmed.slice(1) : trimmed;
  const colon = plain.indexOf(':');
  if (colon < 0) return { type: plain.trim(), role: undefined };
  const role = plain.slice(colon + 1).trim();
  return { type: plain.slice(0, colon).trim(), role: role === '' ? undefined : role };
}

/** "[…]", or "(…|…)" with anything between. */
function isPattern(line: string): boolean {
  const optional = line.indexOf('[');
  if (optional >= 0 && line.includes(']', optional)) return true;
  const group = line.indexOf('(');
  const bar = group < 0 ? -1 : line.indexOf('|', group);
  return bar >= 0 && line.includes(')', bar);
}

/** "[title](path)" and nothing else: no "[" in the title, no "|" in the path. */
function isReference(line: string): boolean {
  if (!line.startsWith('[') || !line.endsWith(')')) return false;
  const inner = line.indexOf('[', 1);
  const middle = line.lastIndexOf('](', inner < 0 ? line.length : inner - 1);
  return middle > 1 && middle + 2 < line.length - 1 && !line.includes('|', middle);
}

/** The line for an utterance; what is wrong where it would not be read back as the same. */
export function formatLine(record: UtteranceRecord): { readonly line: string } | { readonly problem: string } {
  if (/[\r\n]/u.test(record.text)) return { problem: 'an utterance of .lu is one line' };
  const entities = record.entities ?? [];
  const line = entities.length === 0 ? escapeUnlabelled(record.text) : labelled(record.text, entities);
  if (line === undefined) return { problem: 'labels of .lu may lie in each other, but not overlap' };
  const parsed = parseLine(line);
  if (parsed.kind === 'utterance' && isSame(record, parsed.text, parsed.entities)) return { line };
  return { problem: '.lu would read the text or its labels back as another' };
}

function isSame(record: UtteranceRecord, text: string, labels: readonly LuLabel[]): boolean {
  const entities = record.entities?.map(({ type, role, start, end }) => ({ type, role, start, end }));
  return comparable(record.text, entities ?? []) === comparable(text, labels);
}

function comparable(text: string, entities: readonly LuLabel[]): string {
  return canonicalJson(makeRecord({ text, entities }) as unknown as JsonValue);
}

function escapeUnlabelled(text: string): string {
  return text.replaceAll(/[{}[\]()]/gu, '\\$&');
}

/** Undefined where labels overlap without one lying in the other. */
function labelled(text: string, entities: readonly Entity[]): string | undefined {
  const points = Array.from(text);
  const open: number[] = [];
  let line = '';
  let at = 0;
  const moveTo = (place: number): void => {
    const part = points.slice(at, place).join('');
    line += open.length === 0 ? part.replaceAll(/[{}]/gu, '\\$&') : part.replaceAll(/[\\{}]/gu, '\\$&');
    at = place;
  };
  const closeUntil = (place: number): void => {
    while (open.length > 0 && (open.at(-1) as number) <= place) {
      moveTo(open.at(-1) as number);
      line += '}';
      open.pop();
    }
  };
  for (const { start, end, type, role } of entities) {
    closeUntil(start);
    if (open.length > 0 && (open.at(-1) as number) < end) return undefined;
    moveTo(start);
    if (open.length === 0 && line.endsWith('\\')) line += '\\';
    line += `{@${type}${role === undefined ? '' : `:${role}`}=`;
    open.push(end);
  }
  closeUntil(points.length);
  moveTo(points.length);
  return line;
}
