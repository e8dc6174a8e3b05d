/**
 * Cuts Rasa NLU YAML into the items of `nlu`, one at a time, so that files of any length are read in little memory.
 *
 *   file    = outline "nlu:" { item } rest
 *   item    = a line that starts with "- ", as far to the right as the first, and all lines further to the right
 *
 * An item is read by itself: as a plain one, or by the parser of YAML. What could need more than itself (an anchor,
 * another key of the file, anything that is not clear) goes to the parser together with the outline and all that
 * follows it. An item that is too long for the parser must be plain, and is handed on in parts.
 */
import { isUttrError, UttrError } from '../../base/errors.ts';
import { isFields } from '../../records/row-problems.ts';
import { ROW_LIMIT } from '../format.ts';
import type { LineSink } from '../lines.ts';
import type { TextInput } from '../text-input.ts';
import { parseYaml, type YamlDocument } from '../yaml-document.ts';
import { indentOf, type PlainExample, type PlainHead, PlainItemParser } from './plain-item.ts';

/** The parser's tree takes hundreds of times as much memory as its text. In UTF-16 code units. */
const PARSED_LIMIT = 4 * 2 ** 20;

/** A part of the file, ready to be read. */
export type NluPart =
  | {
      readonly form: 'plain';
      readonly head: PlainHead;
      readonly examples: readonly PlainExample[];
      /** Of the item. */
      readonly line: number;
      /** Why lines are not what the encoding says, by line. */
      readonly invalid: ReadonlyMap<number, string>;
    }
  /** A list of one item. */
  | { readonly form: 'item'; readonly document: YamlDocument; readonly value: unknown }
  /** What was left over; the first item of its first `nlu` stands for those that were read before, if `isAfterItems`. */
  | { readonly form: 'rest'; readonly documents: readonly YamlDocument[]; readonly isAfterItems: boolean };

/** Lines that go together, with their length. */
class Lines {
  readonly lines: string[] = [];
  length = 0;

  push(line: string): void {
    this.lines.push(line);
    this.length += line.length + 1;
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }
}

/** An item whose end has not come yet. */
class OpenItem {
  readonly line: number;
  /** Undefined once it is not of the plain form. */
  plain: PlainItemParser | undefined;
  /** For the parser, which gets an item only as a whole. */
  lines = new Lines();
  /** Whether a part of it was handed on, so that it cannot go to the parser any more. */
  isHandedOn = false;
  readonly invalid = new Map<number, string>();

  constructor(line: number, indent: number) {
    this.line = line;
    this.plain = new PlainItemParser(indent);
  }

  push(text: string): void {
    this.lines.push(text);
    if (this.plain?.push(text) === false) this.plain = undefined;
  }
}

export class NluScanner implements LineSink {
  readonly #file: string;
  readonly #input: TextInput;
  #state: 'outline' | 'items' | 'rest' = 'outline';
  readonly #outline = new Lines();
  readonly #rest = new Lines();
  #restLine = 1;
  /** Blanks before the "-" of items; -1 before the first. */
  #indent = -1;
  #item: OpenItem | undefined;
  #parts: NluPart[] = [];

  constructor(file: string, input: TextInput) {
    this.#file = file;
    this.#input = input;
  }

  /** The parts that are complete. */
  takeParts(): readonly NluPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  line(text: string, lineNumber: number, start: number): void {
    const invalid = this.#input.takeInvalid(start, start + text.length);
    if (this.#state === 'items') this.#takeLine(text, lineNumber);
    else if (this.#state === 'rest') this.#keep(this.#rest, text, lineNumber);
    else {
      this.#keep(this.#outline, text, lineNumber);
      if (/^nlu:(?: *| +#.*)\r?$/u.test(text) && this.#isPlainOutline()) this.#state = 'items';
    }
    const item = this.#item;
    if (invalid !== undefined) {
      // A line of an item may be an example, which can be refused by itself.
      if (item === undefined) throw this.#invalidText(invalid, lineNumber);
      item.invalid.set(lineNumber, invalid);
    }
    if (item !== undefined && item.lines.length > PARSED_LIMIT) this.#handOn(item, lineNumber);
  }

  tooLong(length: number, lineNumber: number): void {
    throw this.#error(`a line of ${length} characters, more than the ${ROW_LIMIT} allowed`, lineNumber);
  }

  /** To be called after the last line. */
  end(): void {
    this.#flush();
    const outlineCount = this.#outline.lines.length;
    const isAfterItems = this.#indent >= 0;
    const before = this.#outline.text() + (isAfterItems ? `${' '.repeat(this.#indent)}- {}\n` : '');
    const skipped = this.#restLine - 1 - outlineCount - (isAfterItems ? 1 : 0);
    const lineInFile = (line: number): number => (line <= outlineCount ? line : line + skipped);
    const documents = parseYaml(before + this.#rest.text(), this.#file, lineInFile);
    this.#parts.push({ form: 'rest', documents, isAfterItems });
  }

  #keep(lines: Lines, text: string, lineNumber: number): void {
    lines.push(text);
    if (this.#outline.length + this.#rest.length > PARSED_LIMIT) throw this.#tooLarge(lineNumber);
  }

  /** Whether what stands before the items is one whole document up to there, so that items can be taken from it. */
  #isPlainOutline(): boolean {
    if (this.#outline.lines.some((line) => line.startsWith('%'))) return false;
    try {
      const [document, ...others] = parseYaml(this.#outline.text(), this.#file);
      const value = document?.toValue();
      return others.length === 0 && isFields(value) && value['nlu'] === null && Object.keys(value).at(-1) === 'nlu';
    } catch (error) {
      // What is wrong with it is said once the file is read as a whole.
      if (isUttrError(error, 'bad-format')) return false;
      throw error;
    }
  }

  #takeLine(text: string, lineNumber: number): void {
    const indent = indentOf(text);
    const next = text[indent];
    const isEmpty = next === undefined || (next === '\r' && indent === text.length - 1);
    // What a tab means is known from what stands before it.
    const isInner = this.#item !== undefined && (indent > this.#indent || next === '\t');
    if (isEmpty || next === '#' || isInner) {
      this.#addToItem(text, lineNumber);
      return;
    }
    const isItem = next === '-' && /^[ \r]?$/u.test(text[indent + 1] ?? '');
    if (isItem && (this.#indent < 0 || indent === this.#indent)) {
      this.#flush();
      // The item before may have turned out to need all that follows it.
      if (this.#isReadingItems()) {
        this.#indent = indent;
        this.#item = new OpenItem(lineNumber, indent);
        this.#item.push(text);
        return;
      }
    } else {
      this.#flush();
      if (this.#isReadingItems()) this.#startRest(lineNumber);
    }
    this.#keep(this.#rest, text, lineNumber);
  }

  #isReadingItems(): boolean {
    return this.#state === 'items';
  }

  #addToItem(text: string, lineNumber: number): void {
    if (this.#item === undefined) {
      // Blank lines and comments before the first item.
      this.#keep(this.#outline, text, lineNumber);
      return;
    }
    this.#item.push(text);
  }

  #startRest(line: number): void {
    this.#state = 'rest';
    this.#restLine = line;
  }

  /** Makes a part of the item that has come to its end. */
  #flush(): void {
    const item = this.#item;
    if (item === undefined) return;
    this.#item = undefined;
    if (item.plain?.isWhole === true && this.#takePlain(item, item.plain, true)) return;
    if (item.isHandedOn) throw this.#tooLarge(item.line);
    this.#refuseInvalid(item, Infinity);
    const parsed = this.#parseItem(item);
    if (parsed !== undefined) {
      this.#parts.push(parsed);
      return;
    }
    // It takes its place again, and all that comes goes with it.
    this.#startRest(item.line);
    for (const line of item.lines.lines) this.#keep(this.#rest, line, item.line);
  }

  /** Hands on what there is of an item that is longer than the parser may get. */
  #handOn(item: OpenItem, lineNumber: number): void {
    if (item.plain === undefined || !this.#takePlain(item, item.plain, false)) {
      throw this.#tooLarge(item.isHandedOn ? lineNumber : item.line);
    }
    item.isHandedOn = true;
    item.lines = new Lines();
  }

  /** @returns false where too little is known of the item */
  #takePlain(item: OpenItem, plain: PlainItemParser, isEnd: boolean): boolean {
    const { head } = plain;
    if (head === undefined) return false;
    // Only an example of a block can be refused by itself.
    this.#refuseInvalid(item, head.form === 'block' ? item.line + 2 : Infinity);
    const { line, invalid } = item;
    this.#parts.push({ form: 'plain', head, examples: plain.takeExamples(isEnd), line, invalid });
    return true;
  }

  /** @throws bad-format where a line above this one is not what the encoding says */
  #refuseInvalid({ invalid }: OpenItem, end: number): void {
    for (const [line, message] of invalid) if (line < end) throw this.#invalidText(message, line);
  }

  /** An item that needs nothing but itself. */
  #parseItem(item: OpenItem): NluPart | undefined {
    const text = item.lines.text();
    const linesBefore = item.line - 1;
    // An anchor may be meant for an item that comes later.
    if (/(?:^|[\s[{,:])&\S/u.test(text)) return undefined;
    try {
      const [document, ...others] = parseYaml(text, this.#file, (line) => line + linesBefore);
      const value = document?.toValue();
      if (document === undefined || others.length > 0 || !Array.isArray(value) || value.length !== 1) return undefined;
      return { form: 'item', document, value: (value as readonly unknown[])[0] };
    } catch (error) {
      if (isUttrError(error, 'bad-format')) return undefined;
      throw error;
    }
  }

  #tooLarge(line: number): UttrError {
    const what = 'more YAML than is read at once, which is not in the plain form of an intent and a block of examples';
    return this.#error(what, line, 'divide the file into several');
  }

  #invalidText(message: string, line: number): UttrError {
    return this.#error(message, line, 'save the file as UTF-8');
  }

  #error(what: string, line: number, hint?: string): UttrError {
    const details = { file: this.#file, line };
    return new UttrError('bad-format', `${this.#file}:${line}: ${what}`, { hint, details });
  }
}
