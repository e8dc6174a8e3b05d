/**
 * XML in pieces, within limits.
 *
 * A document type is refused, so there are no entities but the five of XML, and nothing expands. Depth and the length
 * between two tags are limited, so memory does not grow with the document. Names are given without their prefix: some
 * programs write `x:row`, others `row`.
 */
import { SaxesParser } from 'saxes';
import { isUttrError, UttrError } from '../../base/errors.ts';

type Decoder = InstanceType<typeof TextDecoder>;

/** Characters between the end of one tag and the next: far more than a cell may hold. */
const TOKEN_LIMIT = 2 * 2 ** 20;
const DEPTH_LIMIT = 64;

/** Attributes as written, prefixes included. */
export type XmlAttributes = Readonly<Record<string, string>>;

export interface XmlHandlers {
  open(name: string, attributes: XmlAttributes): void;
  close(name: string): void;
  text(text: string): void;
  readonly shortcut?: XmlShortcut;
}

/**
 * Takes plain elements from the text without the parser, which is several times faster. What it does not take, the
 * parser gets, so it may give up on anything that is unusual; it must take whole elements only.
 */
export interface XmlShortcut {
  /** The end tag after which elements may be taken, e.g. `</row>`. */
  readonly after: string;
  /** @returns where the elements end that were taken; `from` where there were none */
  take(text: string, from: number): number;
}

/** Hands the tags and texts of one document to its handlers. */
export class XmlStream {
  readonly #parser = new SaxesParser({ position: false, xmlns: false });
  readonly #file: string;
  readonly #part: string;
  #decoder: Decoder | undefined;
  #depth = 0;
  #sinceTag = 0;
  readonly #shortcut: XmlShortcut | undefined;
  /** No comment, CDATA section or instruction was there yet: what looks like a tag is one. */
  #isPlain = true;
  #isStart = true;
  #last = '';

  /** @param file as messages call it. @param part its path inside the workbook. */
  constructor(file: string, part: string, handlers: XmlHandlers) {
    this.#file = file;
    this.#part = part;
    this.#shortcut = handlers.shortcut;
    const parser = this.#parser;
    parser.on('opentag', ({ name, attributes }) => {
      this.#sinceTag = 0;
      this.#depth++;
      if (this.#depth > DEPTH_LIMIT) throw this.#bad(`its tags are nested more than ${DEPTH_LIMIT} deep`);
      handlers.open(localName(name), attributes);
    });
    parser.on('closetag', ({ name }) => {
      this.#sinceTag = 0;
      this.#depth--;
      handlers.close(localName(name));
    });
    parser.on('text', (text) => handlers.text(text));
    parser.on('cdata', (text) => handlers.text(text));
    parser.on('doctype', () => {
      throw this.#bad('it declares a document type, which no workbook has');
    });
    parser.on('xmldecl', ({ encoding = 'UTF-8' }) => {
      if (!/^utf-?(?:8|16)$/iu.test(encoding)) throw this.#bad(`it is in ${encoding.slice(0, 40)}, not in UTF-8`);
    });
  }

  /** @throws bad-format */
  push(bytes: Uint8Array): void {
    this.#guarded(() => {
      this.#decoder ??= decoderFor(bytes);
      this.#write(this.#decoder.decode(bytes, { stream: true }));
    });
  }

  /** @throws bad-format where the document is not complete */
  end(): void {
    this.#guarded(() => {
      this.#write(this.#decoder?.decode() ?? '');
      this.#parser.close();
    });
  }

  #write(text: string): void {
    let from = 0;
    const shortcut = this.#usableShortcut(text);
    const { after } = shortcut ?? { after: '' };
    for (let end = shortcut === undefined ? -1 : text.indexOf(after); end >= 0; end = text.indexOf(after, from)) {
      this.#parse(text.slice(from, end + after.length));
      from = shortcut?.take(text, end + after.length) ?? end;
    }
    this.#parse(text.slice(from));
  }

  #usableShortcut(text: string): XmlShortcut | undefined {
    if (this.#shortcut === undefined) return undefined;
    // The declaration at the start is neither comment nor instruction.
    const from = this.#isStart && text.startsWith('<?xml ') ? 1 : 0;
    const isCut = this.#last === '<' && /^[!?]/u.test(text);
    this.#isPlain &&= !isCut && !text.includes('<!') && !text.includes('<?', from);
    if (text !== '') {
      this.#isStart = false;
      this.#last = text.slice(-1);
    }
    return this.#isPlain ? this.#shortcut : undefined;
  }

  #parse(text: string): void {
    this.#sinceTag += text.length;
    this.#parser.write(text);
    if (this.#sinceTag > TOKEN_LIMIT) throw this.#bad('it has a part that is too long');
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (isUttrError(error) || !(error instanceof Error)) throw error;
      if (Object(error).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw this.#bad('it is not UTF-8', error);
      // The parser throws plain errors; any other is a mistake of ours.
      if (error.constructor !== Error) throw error;
      const problem = error.message.replace(/\.$/u, '').slice(0, 200);
      throw this.#bad(`it is not well-formed XML: ${problem}`, error);
    }
  }

  #bad(problem: string, cause?: unknown): UttrError {
    return badPart(this.#file, this.#part, problem, cause);
  }
}

/** Reads a whole document. @throws bad-format */
export async function parseXml(
  file: string,
  part: { readonly path: string; stream(): AsyncIterable<Buffer> },
  handlers: XmlHandlers,
): Promise<void> {
  const xml = new XmlStream(file, part.path, handlers);
  for await (const bytes of part.stream()) xml.push(bytes);
  xml.end();
}

/** The error for a part of a workbook that cannot be read. */
export function badPart(file: string, part: string, problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-format', `${file} cannot be read as a workbook: ${part}: ${problem}`, {
    hint: 'open it in a spreadsheet program and save it once more, or export the sheet as CSV (UTF-8)',
    details: { file, part },
    cause,
  });
}

/** The value of an attribute whatever its prefix, e.g. `r:id`. */
export function prefixed(attributes: XmlAttributes, name: string): string | undefined {
  const key = Object.keys(attributes).find((found) => found.includes(':') && localName(found) === name);
  return key === undefined ? undefined : attributes[key];
}

export function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}

function decoderFor(bytes: Uint8Array): Decoder {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le', { fatal: true });
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be', { fatal: true });
  return new TextDecoder('utf-8', { fatal: true });
}
