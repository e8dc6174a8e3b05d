/**
 * From bytes to text: the encoding is found, its mark dropped, and bad bytes kept track of.
 *
 * UTF-8 is strict. UTF-16LE is recognised by its mark, or by the zeros that its ASCII is full of. Windows-1252 is
 * read only where it was asked for: every sequence of bytes is valid in it, so guessing it would hide errors.
 */
import { isUtf8 } from 'node:buffer';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { ByteInput, Encoding, ReadOptions } from './format.ts';
import { binaryKind, isZip } from './signature.ts';
import { decodeEscaping, unfinishedTail } from './utf8.ts';

/** Gathering a quarter of a MiB makes one string per batch: fewer, larger calls. */
const GATHER_BYTES = 256 * 1024;

/** Enough to see the encoding and the kind of a file. */
const HEAD_BYTES = 4096;

interface InvalidByte {
  readonly charIndex: number;
  readonly offset: number;
  readonly byte: number;
}

/** Text of a file in pieces, and where its bytes were not what the encoding allows. */
export class TextInput {
  readonly #input: ByteInput;
  readonly #options: ReadOptions;
  #encoding: Encoding | undefined;
  #offset = 0;
  #charCount = 0;
  #invalid: InvalidByte[] = [];

  constructor(input: ByteInput, options: ReadOptions) {
    this.#input = input;
    this.#options = options;
  }

  /** Known once the first piece is there. */
  get encoding(): Encoding {
    return this.#encoding ?? 'utf-8';
  }

  /**
   * The text in pieces, cut anywhere; none of them is empty.
   *
   * @throws bad-format when the bytes are no text, or text in another encoding.
   */
  async *pieces(): AsyncGenerator<string> {
    let rest: Buffer = Buffer.alloc(0);
    let decoder: Decoder | undefined;
    for await (const bytes of this.#gathered()) {
      decoder ??= this.#open(bytes);
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const { text, used } = decoder(all, false);
      rest = all.subarray(used);
      if (text !== '') yield text;
    }
    if (decoder !== undefined && rest.length > 0) yield decoder(rest, true).text;
  }

  /** Why the text `[start, end)`, counted from the start of the file, is not what the file says; forgets what lies before `end`. */
  takeInvalid(start: number, end: number): string | undefined {
    if (this.#invalid.length === 0) return undefined;
    const found = this.#invalid.find(({ charIndex }) => charIndex >= start && charIndex < end);
    this.#invalid = this.#invalid.filter(({ charIndex }) => charIndex >= end);
    if (found === undefined) return undefined;
    const hex = found.byte.toString(16).toUpperCase().padStart(2, '0');
    return `byte 0x${hex} at offset ${found.offset} is not UTF-8; if the file is in Windows-1252, say --encoding windows-1252`;
  }

  /** The bytes in pieces of about the wanted size, but for the first one, which must show the encoding. */
  async *#gathered(): AsyncGenerator<Buffer> {
    const limit = Math.max(1, this.#options.gatherBytes ?? GATHER_BYTES);
    let wanted = Math.max(limit, HEAD_BYTES);
    let parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.#input.chunks()) {
      throwIfAborted(this.#options.signal);
      // A whole file may come at once; cut up, it is parsed within bounds like any other.
      for (let from = 0; from < chunk.length;) {
        const part = chunk.subarray(from, from + wanted - length);
        from += part.length;
        parts.push(part);
        length += part.length;
        if (length < wanted) continue;
        yield joined(parts);
        parts = [];
        length = 0;
        wanted = limit;
      }
    }
    if (length > 0) yield joined(parts);
  }

  #open(head: Buffer): Decoder {
    const { encoding, markBytes } = this.#recognise(head);
    this.#encoding = encoding;
    let skip = markBytes;
    const decode = this.#decoderOf(encoding);
    return (bytes, final) => {
      const from = skip;
      skip = 0;
      this.#offset += from;
      const { text, used } = decode(bytes.subarray(from), final);
      this.#offset += used;
      this.#charCount += text.length;
      return { text, used: from + used };
    };
  }

  #recognise(head: Buffer): { encoding: Encoding; markBytes: number } {
    const asked = this.#options.encoding;
    const { name } = this.#input;
    const sample = head.subarray(0, HEAD_BYTES);
    const found = encodingOf(sample);
    const kind = asked === 'utf-16le' ? undefined : binaryKind(sample);
    if (kind !== undefined) {
      throw new UttrError('bad-format', `${name} is ${kind}, not text`, {
        hint: isZip(sample)
          ? 'leave out --format, so that the archive is recognised by its files'
          : 'export the data as CSV (UTF-8), TSV, JSON or JSON Lines',
      });
    }
    if (found.encoding === 'utf-16be') {
      throw new UttrError('bad-format', `${name} is in UTF-16, big-endian`, { hint: 'save it as UTF-8' });
    }
    if (asked !== undefined && found.encoding !== undefined && asked !== found.encoding) {
      throw new UttrError('bad-format', `${name} says itself that it is ${found.encoding}, not ${asked}`, {
        hint: 'leave out --encoding',
      });
    }
    return { encoding: asked ?? found.encoding ?? 'utf-8', markBytes: found.markBytes };
  }

  #decoderOf(encoding: Encoding): Decoder {
    if (encoding === 'utf-16le') return decodeUtf16;
    if (encoding === 'windows-1252') {
      const decoder = new TextDecoder('windows-1252');
      return (bytes) => ({ text: decoder.decode(bytes), used: bytes.length });
    }
    return (bytes, final) => this.#decodeUtf8(bytes, final);
  }

  #decodeUtf8(bytes: Buffer, final: boolean): Decoded {
    const whole = final ? bytes : bytes.subarray(0, bytes.length - unfinishedTail(bytes));
    if (isUtf8(whole)) return { text: whole.toString('utf8'), used: whole.length };
    const text = decodeEscaping(whole, (byteIndex, charIndex) => {
      this.#invalid.push({
        charIndex: this.#charCount + charIndex,
        offset: this.#offset + byteIndex,
        byte: whole[byteIndex] as number,
      });
    });
    return { text, used: whole.length };
  }
}

interface Decoded {
  readonly text: string;
  /** Bytes that the text stands for; the rest is decoded with what follows. */
  readonly used: number;
}

type Decoder = (bytes: Buffer, final: boolean) => Decoded;

function joined(parts: readonly Uint8Array[]): Buffer {
  const [first] = parts;
  if (parts.length !== 1 || first === undefined) return Buffer.concat(parts);
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}

function decodeUtf16(bytes: Buffer, final: boolean): Decoded {
  const used = bytes.length - (bytes.length % 2);
  const text = bytes.toString('utf16le', 0, used);
  // A file cut within a character ends with half a surrogate pair, which no row may hold: the row is reported.
  return final && used < bytes.length ? { text: `${text}\udc00`, used: bytes.length } : { text, used };
}

/** The encoding that the first bytes give away, and how long its mark is. */
export function encodingOf(head: Uint8Array): {
  readonly encoding: Encoding | 'utf-16be' | undefined;
  readonly markBytes: number;
} {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  return { encoding: utf16WithoutMark(head), markBytes: 0 };
}

/** Mostly ASCII in UTF-16 has a zero in nearly every second byte, and next to none in the others. */
function utf16WithoutMark(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const pairs = Math.floor(head.length / 2);
  if (pairs < 2) return undefined;
  let evenZeros = 0;
  let oddZeros = 0;
  for (let index = 0; index < pairs * 2; index += 2) {
    if (head[index] === 0) evenZeros++;
    if (head[index + 1] === 0) oddZeros++;
  }
  if (oddZeros > pairs * 0.4 && evenZeros < pairs * 0.05) return 'utf-16le';
  if (evenZeros > pairs * 0.4 && oddZeros < pairs * 0.05) return 'utf-16be';
  return undefined;
}

/** The first bytes as text for sniffing; undefined for what is no text. */
export function headText(head: Uint8Array): string | undefined {
  if (binaryKind(head) !== undefined) return undefined;
  const { encoding, markBytes } = encodingOf(head);
  if (encoding === 'utf-16be') return undefined;
  const bytes = Buffer.from(head.buffer, head.byteOffset + markBytes, head.byteLength - markBytes);
  return encoding === 'utf-16le' ? decodeUtf16(bytes, false).text : bytes.toString('utf8');
}
