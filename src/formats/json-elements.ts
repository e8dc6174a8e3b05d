/**
 * Cuts a JSON document that comes in pieces into the elements of its lists, holding one element at a time.
 *
 *   document = list | "{" [ key ":" list { "," key ":" list } ] "}"
 *   list     = "[" [ element { "," element } ] "]"
 *
 * Only brackets, strings and commas are looked at; each element is text for a JSON parser.
 */
import { UttrError } from '../base/errors.ts';
import { ROW_LIMIT } from './format.ts';
import { stringEnd } from './strict-json.ts';

/** One element of a list, as text. */
export interface JsonElement {
  readonly text: string;
  /** Physical line on which it starts, from 1. */
  readonly line: number;
  /** Where it starts, in characters from the start of the file. */
  readonly start: number;
  /** The key of its list, where the document is an object. */
  readonly key: string | undefined;
  /** Place in its list, from 0. */
  readonly index: number;
}

type State =
  | 'document'
  | 'first-key'
  | 'key'
  | 'colon'
  | 'list'
  | 'first-element'
  | 'element'
  | 'after-element'
  | 'after-list'
  | 'end';

/** What each state waits for, in the words of a message. */
const WANTED: Readonly<Record<State, string>> = {
  document: '"[" or "{"',
  'first-key': 'a key or "}"',
  key: 'a key',
  colon: '":"',
  list: 'a list',
  'first-element': 'a value or "]"',
  element: 'a value',
  'after-element': '"," or "]"',
  'after-list': '"," or "}"',
  end: 'the end of the file',
};

export class JsonElements {
  readonly #file: string;
  #state: State = 'document';
  #isObject = false;
  #text = '';
  #position = 0;
  /** Characters of the file before `#text`. */
  #offset = 0;
  #line = 1;
  #waitFor = 0;
  /** How far the element at `#position` has been looked through, and how many brackets are open there. */
  #scanned = 0;
  #depth = 0;
  #key: string | undefined;
  #index = 0;
  #elements: JsonElement[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** The elements that are complete. `final` says that nothing follows. @throws bad-format */
  push(piece: string, final: boolean): JsonElement[] {
    this.#text += piece;
    if (!final && this.#text.length < this.#waitFor) return [];
    while (this.#skipBlanks() && this.#step(final));
    this.#keep();
    if (final) this.#finish();
    const elements = this.#elements;
    this.#elements = [];
    return elements;
  }

  #keep(): void {
    this.#offset += this.#position;
    this.#text = this.#text.slice(this.#position);
    this.#scanned = Math.max(0, this.#scanned - this.#position);
    this.#position = 0;
    this.#checkLength(this.#text.length);
    this.#waitFor = this.#text.length * 2;
  }

  #checkLength(length: number): void {
    if (length <= ROW_LIMIT) return;
    throw this.#error(`a value has more than ${ROW_LIMIT} characters`, 'is this a list of utterances?');
  }

  #finish(): void {
    if (this.#state === 'end' && this.#text.trim() === '') return;
    if (this.#state === 'document') throw this.#error('the file is empty', undefined);
    const where = this.#key === undefined ? `element ${this.#index}` : `element ${this.#index} of "${this.#key}"`;
    throw this.#error(
      `the file ends in the middle, at ${where}, where ${WANTED[this.#state]} should come`,
      'was it cut off?',
    );
  }

  /** Moves to the next character that means something; false where the text ends. */
  #skipBlanks(): boolean {
    const text = this.#text;
    for (; this.#position < text.length; this.#position++) {
      const code = text.charCodeAt(this.#position);
      if (code === 0x0a) this.#line++;
      else if (code !== 0x20 && code !== 0x0d && code !== 0x09) return true;
    }
    return false;
  }

  /** Handles one token or element; false while it is not complete. */
  #step(final: boolean): boolean {
    const character = this.#text[this.#position] as string;
    switch (this.#state) {
      case 'document':
        this.#isObject = character === '{';
        return this.#token(character, { '[': 'first-element', '{': 'first-key' });
      case 'first-key':
        return character === '}' ? this.#token(character, { '}': 'end' }) : this.#takeKey(character);
      case 'key':
        return this.#takeKey(character);
      case 'colon':
        return this.#token(character, { ':': 'list' });
      case 'list':
        this.#index = 0;
        return this.#token(character, { '[': 'first-element' });
      case 'first-element':
        if (character === ']') return this.#token(character, { ']': this.#afterList() });
        return this.#takeElement(character, final);
      case 'element':
        return this.#takeElement(character, final);
      case 'after-element':
        return this.#token(character, { ',': 'element', ']': this.#afterList() });
      case 'after-list':
        return this.#token(character, { ',': 'key', '}': 'end' });
      case 'end':
        throw this.#unexpected(character);
    }
  }

  #afterList(): State {
    return this.#isObject ? 'after-list' : 'end';
  }

  #token(character: string, next: Readonly<Record<string, State>>): true {
    const state = Object.hasOwn(next, character) ? next[character] : undefined;
    if (state === undefined) throw this.#unexpected(character);
    this.#state = state;
    this.#position++;
    return true;
  }

  #takeKey(character: string): boolean {
    if (character !== '"') throw this.#unexpected(character);
    const end = stringEnd(this.#text, this.#position);
    // A string that ends with the text may go on: what looks like its end could be no quote at all.
    if (end >= this.#text.length) return false;
    const quoted = this.#text.slice(this.#position, end);
    try {
      this.#key = JSON.parse(quoted) as string;
    } catch {
      throw this.#error(`the key ${quoted.slice(0, 80)} is not a JSON string`, undefined);
    }
    this.#position = end;
    this.#state = 'colon';
    return true;
  }

  #takeElement(character: string, final: boolean): boolean {
    if (/[\]},:]/u.test(character)) throw this.#unexpected(character);
    const end = /[{["]/u.test(character) ? this.#bracketedEnd() : this.#scalarEnd(final);
    if (end < 0) return false;
    this.#checkLength(end - this.#position);
    const text = this.#text.slice(this.#position, end);
    this.#elements.push({
      text,
      line: this.#line,
      start: this.#offset + this.#position,
      key: this.#isObject ? this.#key : undefined,
      index: this.#index,
    });
    this.#index++;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line++;
    this.#position = end;
    this.#state = 'after-element';
    return true;
  }

  /** End of the list, object or string at the position; -1 while it is not there. */
  #bracketedEnd(): number {
    const text = this.#text;
    if (this.#scanned < this.#position) {
      this.#scanned = this.#position;
      this.#depth = 0;
    }
    for (let index = this.#scanned; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === 0x22) {
        const end = stringEnd(text, index);
        if (end >= text.length && !isClosed(text, index)) {
          this.#scanned = index;
          return -1;
        }
        index = end - 1;
      } else if (code === 0x7b || code === 0x5b) this.#depth++;
      else if (code === 0x7d || code === 0x5d) this.#depth--;
      else continue;
      if (this.#depth > 0) continue;
      this.#scanned = 0;
      return index + 1;
    }
    this.#scanned = text.length;
    return -1;
  }

  #scalarEnd(final: boolean): number {
    for (let index = this.#position; index < this.#text.length; index++) {
      if (/[\s,\]}]/u.test(this.#text[index] as string)) return index;
    }
    return final ? this.#text.length : -1;
  }

  #unexpected(character: string): UttrError {
    const { hint, what } = this.#explain(character);
    return this.#error(what ?? `found "${character}" where ${WANTED[this.#state]} should be`, hint);
  }

  #explain(character: string): { readonly what?: string; readonly hint: string | undefined } {
    if (this.#state === 'list') {
      return {
        what: `the key "${this.#key ?? ''}" holds no list`,
        hint: 'wanted: a list of objects, or an object whose values are such lists; if each line is an object of its own, --format jsonl',
      };
    }
    if (this.#state === 'end' && /[{[]/u.test(character)) {
      return { hint: 'if each line is a value of its own, --format jsonl' };
    }
    return { hint: undefined };
  }

  #error(what: string, hint: string | undefined): UttrError {
    const details = { file: this.#file, line: this.#line };
    return new UttrError('bad-format', `${this.#file}:${this.#line}: ${what}`, { hint, details });
  }
}

/** Whether the string that opens at `open` and goes to the end of the text has its closing quote. */
function isClosed(text: string, open: number): boolean {
  if (text.length - open < 2 || !text.endsWith('"')) return false;
  let escapes = 0;
  while (text.charCodeAt(text.length - 2 - escapes) === 0x5c) escapes++;
  return escapes % 2 === 0;
}
