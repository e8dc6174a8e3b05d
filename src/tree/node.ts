/**
 * Nodes: chunks that list the chunks beneath them.
 *
 *   node   = header child+
 *   header = "node " level LF                                        level in decimal, 1 for the parents of leaves
 *   child  = '["' last key '","' hash '",' records ',' bytes ']' LF   canonical JSON
 *
 * T3  A node's first line holds no TAB and a leaf's first line does: no bytes can be read as both.
 * T4  Children lie in strictly ascending order of their last keys, and each totals the records and the
 *     leaf bytes beneath it.
 * T5  A node has exactly one encoding; any other spelling of it is refused.
 *
 * The totals give the n-th record of a tree without reading what lies before it.
 */
import { isUtf8 } from 'node:buffer';
import { UttrError } from '../base/errors.ts';
import { HASH_BYTES, isHash, type Hash } from '../base/hash.ts';
import { compareRanges, LF, TAB } from './lines.ts';

const OPEN = 0x5b;
const CLOSE = 0x5d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const LOWER_T = 0x74;

/** Levels a tree may have; with two children a node this is out of reach. */
export const LEVEL_LIMIT = 60;

/** A chunk as its parent knows it. */
export interface Child {
  /** The last key beneath. */
  readonly key: Buffer;
  readonly hash: Hash;
  readonly records: number;
  /** Raw bytes of all leaves beneath. */
  readonly bytes: number;
}

/** Records, and raw bytes of leaves, beneath some chunks. */
export interface Totals {
  readonly records: number;
  readonly bytes: number;
}

/** What a node says. */
export interface NodeContent {
  readonly level: number;
  readonly children: readonly Child[];
}

/** The line a child takes in its parent. */
export function encodeChild(child: Child): string {
  return `[${JSON.stringify(child.key.toString('utf8'))},"${child.hash}${encodeTotals(child)}`;
}

/** What stands behind the hash. */
function encodeTotals({ records, bytes }: Totals): string {
  return `",${records},${bytes}]\n`;
}

/** The first line of a node. */
export function encodeHeader(level: number): string {
  return `node ${level}\n`;
}

/** The bytes of a node. */
export function encodeNode(node: NodeContent): Buffer {
  return Buffer.from(encodeHeader(node.level) + node.children.map(encodeChild).join(''), 'utf8');
}

/** Keys are unescaped into slabs of this size: memory for each node would cost more than reading it. */
const SLAB_BYTES = 256 * 1024;

/** The slab in use, and where it is free; reading never waits. */
let slab = Buffer.alloc(0);
let slabEnd = 0;

/** Makes room for the keys of a node: unescaped they are never longer than the lines they stand in. */
function reserveSlab(bytes: number): void {
  if (slabEnd + bytes <= slab.length) return;
  slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
  slabEnd = 0;
}

/**
 * A node that was read. Its children are made when they are asked for: an edit or a lookup needs few of them, and
 * comparing keys takes no more than bytes.
 */
export class Node implements NodeContent {
  readonly level: number;
  readonly bytes: Buffer;
  readonly count: number;
  /** Line `i` is `bytes[starts[i]..starts[i + 1])`. */
  readonly starts: readonly number[];
  /** Key `i` is `keys[keyStarts[i]..keyStarts[i + 1])`; other nodes have theirs in the same memory. */
  readonly keys: Buffer;
  readonly keyStarts: readonly number[];
  /** Totals of the children in front of child `i`; for the count, of all. */
  readonly #records: readonly number[];
  readonly #leafBytes: readonly number[];
  readonly #children: (Child | undefined)[] = [];

  /** @throws bad-chunk unless `bytes` are exactly what `encodeNode` writes. */
  constructor(bytes: Buffer) {
    if (!isUtf8(bytes)) throw badNode('a node is not in its canonical form');
    const headerEnd = bytes.indexOf(LF);
    this.bytes = bytes;
    this.level = decodeHeader(bytes.toString('latin1', 0, Math.max(headerEnd, 0)));
    reserveSlab(bytes.length);
    const starts: number[] = [headerEnd + 1];
    const keyStarts: number[] = [slabEnd];
    const records: number[] = [0];
    const leafBytes: number[] = [0];
    for (let start = headerEnd + 1; start < bytes.length;) {
      const keyStart = keyStarts.at(-1) as number;
      const line = readPlainChild(bytes, start, keyStart) ?? readChild(bytes, start, keyStart);
      const before = keyStarts.at(-2);
      if (before !== undefined && compareRanges(slab, before, keyStart, slab, keyStart, line.keyEnd) >= 0) {
        throw badNode('the children of a node are not in ascending order');
      }
      records.push((records.at(-1) as number) + line.records);
      leafBytes.push((leafBytes.at(-1) as number) + line.bytes);
      keyStarts.push(line.keyEnd);
      starts.push(line.end);
      start = line.end;
    }
    this.count = starts.length - 1;
    if (this.count === 0) throw badNode('a node has no children');
    this.#records = records;
    this.#leafBytes = leafBytes;
    this.starts = starts;
    this.keyStarts = keyStarts;
    this.keys = slab;
    slabEnd = keyStarts.at(-1) as number;
  }

  get children(): readonly Child[] {
    for (let index = 0; index < this.count; index++) this.child(index);
    return this.#children as Child[];
  }

  child(index: number): Child {
    let child = this.#children[index];
    if (child === undefined) {
      const totals = this.totals(index, index + 1);
      // Every line has its hash at the same place from its end, or it would not have been taken for canonical.
      const end = (this.starts[index + 1] as number) - encodeTotals(totals).length;
      const hash = this.bytes.toString('latin1', end - 2 * HASH_BYTES, end) as Hash;
      child = { key: Buffer.from(this.keyAt(index)), hash, ...totals };
      this.#children[index] = child;
    }
    return child;
  }

  /** Totals of children `from` to `to`, by default of all. */
  totals(from = 0, to: number = this.count): Totals {
    return {
      records: (this.#records[to] as number) - (this.#records[from] as number),
      bytes: (this.#leafBytes[to] as number) - (this.#leafBytes[from] as number),
    };
  }

  /** The last key beneath child `index`, a view. */
  keyAt(index: number): Buffer {
    return this.keys.subarray(this.keyStarts[index], this.keyStarts[index + 1]);
  }

  get lastKey(): Buffer {
    return this.keyAt(this.count - 1);
  }

  compareKeyAt(index: number, key: Buffer): number {
    const start = this.keyStarts[index] as number;
    return compareRanges(this.keys, start, this.keyStarts[index + 1] as number, key, 0, key.length);
  }

  /** Index of the first child from `from` on whose last key is not below `key`; the count if there is none. */
  lowerBound(key: Buffer, from = 0): number {
    let low = from;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKeyAt(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Reads a node. @throws bad-chunk unless `bytes` are exactly what `encodeNode` writes. */
export function decodeNode(bytes: Buffer): Node {
  return new Node(bytes);
}

/** Totals of some children. */
export function sumChildren(children: readonly Child[]): Totals {
  let records = 0;
  let bytes = 0;
  for (const child of children) {
    records += child.records;
    bytes += child.bytes;
  }
  return { records, bytes };
}

function decodeHeader(line: string): number {
  const match = /^node ([1-9][0-9]?)$/u.exec(line);
  const level = Number(match?.[1]);
  if (match === null || level > LEVEL_LIMIT) throw badNode('a node starts with no valid level');
  return level;
}

/** A line of a node; its key lies in the slab. */
interface ChildLine extends Totals {
  readonly keyEnd: number;
  /** Behind the LF. */
  readonly end: number;
}

const QUOTED_HASH_BYTES = 2 * HASH_BYTES + 2;
/** Digits of a number that a double holds exactly whatever they are. */
const SAFE_DIGITS = 15;

/**
 * Reads the line of a child whose key needs no escape but that for the TAB between columns: such a line can be written
 * in one way only. undefined for any other line.
 */
function readPlainChild(bytes: Buffer, start: number, keyStart: number): ChildLine | undefined {
  const keyAt = start + 2;
  const quote = bytes[start] === OPEN && bytes[start + 1] === QUOTE ? plainKeyEnd(bytes, keyAt) : -1;
  if (quote < 0 || bytes[quote + 1] !== COMMA || !isQuotedHash(bytes, quote + 2)) return undefined;
  const comma = quote + 2 + QUOTED_HASH_BYTES;
  const recordsEnd = digitsEnd(bytes, comma + 1);
  const totalEnd = digitsEnd(bytes, recordsEnd + 1);
  if (bytes[comma] !== COMMA || bytes[recordsEnd] !== COMMA) return undefined;
  if (bytes[totalEnd] !== CLOSE || bytes[totalEnd + 1] !== LF) return undefined;
  const records = readNumber(bytes, comma + 1, recordsEnd);
  const total = readNumber(bytes, recordsEnd + 1, totalEnd);
  // A line takes at least its TAB and its LF.
  if (records === undefined || total === undefined || total < 2 * records) return undefined;
  return { records, bytes: total, keyEnd: unescapeKey(bytes, keyAt, quote, keyStart), end: totalEnd + 2 };
}

/** Position of the quote that ends a key without other escapes than TABs; -1 where it has any. */
function plainKeyEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) {
      if (bytes[++at] !== LOWER_T) return -1;
    } else if (!(byte >= 0x20)) return -1;
  }
}

/** Copies a plain key into the slab. @returns where it ends there */
function unescapeKey(bytes: Buffer, start: number, end: number, keyStart: number): number {
  let to = keyStart;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === BACKSLASH) at++;
    slab[to++] = byte === BACKSLASH ? TAB : byte;
  }
  return to;
}

function isQuotedHash(bytes: Buffer, start: number): boolean {
  const end = start + QUOTED_HASH_BYTES - 1;
  for (let at = start + 1; at < end; at++) if (!isHexDigit(bytes[at] as number)) return false;
  return bytes[start] === QUOTE && bytes[end] === QUOTE;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
}

function digitsEnd(bytes: Buffer, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at++;
  return at;
}

function readNumber(bytes: Buffer, start: number, end: number): number | undefined {
  if (start === end || end - start > SAFE_DIGITS || bytes[start] === 0x30) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] as number) - 0x30;
  return value;
}

/** Any line of a child. @throws bad-chunk unless it is in its canonical form */
function readChild(bytes: Buffer, start: number, keyStart: number): ChildLine {
  const end = bytes.indexOf(LF, start) + 1;
  if (end === 0) throw badNode('the last line of a node is cut off');
  const line = bytes.toString('utf8', start, end - 1);
  const child = decodeChild(line);
  if (encodeChild(child) !== `${line}\n`) throw badNode('a node is not in its canonical form');
  child.key.copy(slab, keyStart);
  return { records: child.records, bytes: child.bytes, keyEnd: keyStart + child.key.length, end };
}

function decodeChild(line: string): Child {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new UttrError('bad-chunk', 'a child of a node is not JSON', { cause });
  }
  if (!Array.isArray(parsed) || parsed.length !== 4) throw badNode('a child of a node is not a list of four');
  const [key, hash, records, bytes] = parsed as unknown[];
  if (typeof key !== 'string' || !key.isWellFormed() || !isHash(hash)) {
    throw badNode('a child of a node has no valid key or hash');
  }
  // A line takes at least its TAB and its LF.
  if (!isCount(records) || !isCount(bytes) || bytes < 2 * records) throw badNode('a child of a node has wrong totals');
  return { key: Buffer.from(key, 'utf8'), hash, records, bytes };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function badNode(message: string): UttrError {
  return new UttrError('bad-chunk', message);
}
