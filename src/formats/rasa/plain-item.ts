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
 * the same files both ways.
 */
import { isUttrError } from '../../base/errors.ts';
import { isFields } from '../../records/row-problems.ts';
import { parseStrictJson } from '../strict-json.ts';

/** A name that YAML reads as the text it is, unless it is one of the words below. */
export const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_./+-]*(?: [\p{L}\p{N}_./+-]+)*$/u;

/** Words that YAML 1.2 takes for no text. */
const NO_TEXT = /^(?:null|true|false)$/iu;

const HEADER = /^ *- (intent|synonym|regex|lookup): +(\S(?:.*\S)?)\s*$/u;

/** An example of a list. */
export interface ListedExample {
  readonly text: string;
  readonly metadata?: unknown;
  /** Place of its first line among those of the item. */
  readonly index: number;
}

export interface PlainItem {
  readonly kind: string;
  readonly name: string;
  /** Lines of the block without their indentation, from `firstIndex` of the item's lines on. */
  readonly block?: readonly string[];
  readonly firstIndex: number;
  readonly list?: readonly ListedExample[];
}

/** Reads an item, if it is plain. @param indent blanks before its "-" */
export function parsePlainItem(lines: readonly string[], indent: number): PlainItem | undefined {
  const [header, examples] = lines;
  if (header === undefined || examples === undefined) return undefined;
  const [, kind, given] = HEADER.exec(header) ?? [];
  const name = given === undefined ? undefined : parseName(given);
  if (kind === undefined || name === undefined) return undefined;
  const key = `${' '.repeat(indent + 2)}examples:`;
  const rest = examples.startsWith(key) ? examples.slice(key.length).trimEnd() : undefined;
  if (rest === '') {
    const list = parseList(lines, indent + 2);
    return list === undefined ? undefined : { kind, name, list, firstIndex: 2 };
  }
  if (rest !== ' |' && rest !== ' |-' && rest !== ' |+') return undefined;
  const block = parseBlock(lines, indent + 2);
  return block === undefined ? undefined : { kind, name, block, firstIndex: 2 };
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

/** Lines of the block under the second line of an item. @param outer blanks before the key of the block */
function parseBlock(lines: readonly string[], outer: number): string[] | undefined {
  const block: string[] = [];
  let indentation = '';
  let isOver = false;
  for (let index = 2; index < lines.length; index++) {
    const line = withoutReturn(lines[index] as string);
    if (line.includes('\r')) return undefined;
    if (indentation === '' && line !== '') {
      const indent = indentOf(line);
      const code = line.charCodeAt(indent);
      if (indent <= outer || indent === line.length || code === TAB) return undefined;
      indentation = ' '.repeat(indent);
    }
    if (!isOver && indentation !== '' && line.startsWith(indentation)) {
      block.push(line.slice(indentation.length));
      continue;
    }
    const first = indentOf(line);
    if (first === line.length) {
      block.push('');
    } else if (line.charCodeAt(first) === HASH) {
      // A comment that is indented less than the block ends it: only blanks and comments may follow.
      isOver = true;
    } else return undefined;
  }
  return indentation === '' ? undefined : block;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Examples of the list under the second line of an item. @param outer blanks before the key of the list */
function parseList(lines: readonly string[], outer: number): ListedExample[] | undefined {
  const [text, metadata] = [`${' '.repeat(outer)}- text: `, `${' '.repeat(outer)}  metadata: `];
  const list: { text: string; metadata?: unknown; index: number }[] = [];
  for (let index = 2; index < lines.length; index++) {
    const line = lines[index] as string;
    const last = list.at(-1);
    if (line.startsWith(text)) {
      const value = line.startsWith('"', text.length) ? parseJson(line.slice(text.length)) : undefined;
      if (typeof value !== 'string') return undefined;
      list.push({ text: value, index });
    } else if (last !== undefined && !('metadata' in last) && line.startsWith(metadata)) {
      const value = line.startsWith('{', metadata.length) ? parseJson(line.slice(metadata.length)) : undefined;
      if (!isFields(value)) return undefined;
      last.metadata = value;
    } else return undefined;
  }
  return list.length === 0 ? undefined : list;
}
