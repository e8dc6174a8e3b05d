/**
 * Items of `nlu` in the two forms that nearly all files consist of, without a parser of YAML.
 *
 *   - intent: name            also synonym, regex, lookup; the name plain, or a string of JSON
 *     examples: |
 *       - text
 *
 *   - intent: name            as the writer puts it where examples have metadata
 *     examples:
 *     - text: "text"          a string of JSON
 *       metadata: {…}         an object of JSON
 *
 * What is not exactly of these forms is left to the parser. What is gives the same as the parser would: a test reads
 * the same files both ways. An item is read line by line, so that the examples of a long one need not wait for its end.
 */
import { isUttrError } from '../../base/errors.ts';
import { isFields } from '../../records/row-problems.ts';
import { parseStrictJson } from '../strict-json.ts';

/** A name that YAML reads as the text it is, unless it is one of the words below. */
export const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_./+-]*(?: [\p{L}\p{N}_./+-]+)*$/u;

/** Words that YAML 1.2 takes for no text. */
const NO_TEXT = /^(?:null|true|false)$/iu;

const HEADER = /^ *- (intent|synonym|regex|lookup): +(\S(?:.*\S)?)\s*$/u;

export interface PlainExample {
  /** Of a list: its text. Of a block: a line without the indentation of the block. */
  readonly text: string;
  readonly metadata?: unknown;
  /** Place of its first line among those of the item. */
  readonly index: number;
}

export interface PlainHead {
  readonly kind: string;
  readonly name: string;
  readonly form: 'block' | 'list';
}

/** Reads one item, line by line, for as long as it is plain. */
export class PlainItemParser {
  /** Blanks before the keys of the item. */
  readonly #outer: number;
  #count = 0;
  #kind = '';
  #name = '';
  #examples: ExamplesParser | undefined;

  /** @param indent blanks before the "-" of the item */
  constructor(indent: number) {
    this.#outer = indent + 2;
  }

  /** @returns whether the item is plain up to this line */
  push(line: string): boolean {
    const index = this.#count++;
    if (this.#examples !== undefined) return this.#examples.push(line, index);
    return index === 0 ? this.#takeHeader(line) : this.#takeKey(line);
  }

  /** Known from the second line on. */
  get head(): PlainHead | undefined {
    const form = this.#examples?.form;
    return form === undefined ? undefined : { kind: this.#kind, name: this.#name, form };
  }

  /** Whether the item is plain if it ends here. */
  get isWhole(): boolean {
    return this.#examples?.hasExamples ?? false;
  }

  /** The examples since the last time. @param isEnd false keeps the last one back, which may go on in the next line */
  takeExamples(isEnd: boolean): readonly PlainExample[] {
    const examples = this.#examples?.examples ?? [];
    return examples.splice(0, isEnd ? examples.length : examples.length - 1);
  }

  #takeHeader(line: string): boolean {
    const [, kind, given] = HEADER.exec(line) ?? [];
    const name = given === undefined ? undefined : parseName(given);
    if (kind === undefined || name === undefined) return false;
    this.#kind = kind;
    this.#name = name;
    return true;
  }

  #takeKey(line: string): boolean {
    const key = `${' '.repeat(this.#outer)}examples:`;
    const rest = line.startsWith(key) ? line.slice(key.length).trimEnd() : undefined;
    if (rest === '') this.#examples = new ListParser(this.#outer);
    else if (rest === ' |' || rest === ' |-' || rest === ' |+') this.#examples = new BlockParser(this.#outer);
    return this.#examples !== undefined;
  }
}

interface ExamplesParser {
  readonly form: PlainHead['form'];
  readonly examples: PlainExample[];
  readonly hasExamples: boolean;
  push(line: string, index: number): boolean;
}

function parseName(given: string): string | undefined {
  if (given.startsWith('"')) {
    const name = parseJson(given);
    return typeof name === 'string' && name.trim() !== '' ? name : undefined;
  }
  return PLAIN_NAME.test(given) && !NO_TEXT.test(given) ? given : undefined;
}

function parseJson(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (isUttrError(error, 'bad-row')) return undefined;
    throw error;
  }
}

const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;

/** Blanks at the start of a line. */
export function indentOf(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === SPACE) at++;
  return at;
}

/** The lines of a block. */
class BlockParser implements ExamplesParser {
  readonly form = 'block';
  readonly examples: PlainExample[] = [];
  /** Blanks before the key of the block. */
  readonly #outer: number;
  #indentation = '';
  #isOver = false;

  constructor(outer: number) {
    this.#outer = outer;
  }

  get hasExamples(): boolean {
    return this.#indentation !== '';
  }

  push(given: string, index: number): boolean {
    const line = given.endsWith('\r') ? given.slice(0, -1) : given;
    if (line.includes('\r')) return false;
    if (this.#indentation === '' && line !== '') {
      const indent = indentOf(line);
      if (indent <= this.#outer || indent === line.length || line.charCodeAt(indent) === TAB) return false;
      this.#indentation = ' '.repeat(indent);
    }
    if (!this.#isOver && this.#indentation !== '' && line.startsWith(this.#indentation)) {
      this.examples.push({ text: line.slice(this.#indentation.length), index });
      return true;
    }
    const first = indentOf(line);
    if (first === line.length) return true;
    // A comment that is indented less than the block ends it: only blanks and comments may follow.
    this.#isOver = true;
    return line.charCodeAt(first) === HASH;
  }
}

/** The examples of a list. */
class ListParser implements ExamplesParser {
  readonly form = 'list';
  readonly examples: { text: string; metadata?: unknown; index: number }[] = [];
  readonly #text: string;
  readonly #metadata: string;
  hasExamples = false;

  /** @param outer blanks before the key of the list */
  constructor(outer: number) {
    this.#text = `${' '.repeat(outer)}- text: `;
    this.#metadata = `${' '.repeat(outer)}  metadata: `;
  }

  push(line: string, index: number): boolean {
    if (line.startsWith(this.#text)) {
      const value = line.startsWith('"', this.#text.length) ? parseJson(line.slice(this.#text.length)) : undefined;
      if (typeof value !== 'string') return false;
      this.examples.push({ text: value, index });
      this.hasExamples = true;
      return true;
    }
    const last = this.examples.at(-1);
    if (last === undefined || 'metadata' in last || !line.startsWith(this.#metadata)) return false;
    const value = line.startsWith('{', this.#metadata.length)
      ? parseJson(line.slice(this.#metadata.length))
      : undefined;
    if (!isFields(value)) return false;
    last.metadata = value;
    return true;
  }
}
