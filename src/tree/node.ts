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
import { isHash, type Hash } from '../base/hash.ts';

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

/** A decoded node. */
export interface Node {
  readonly level: number;
  readonly children: readonly Child[];
}

/** The line a child takes in its parent. */
export function encodeChild(child: Child): string {
  return `[${JSON.stringify(child.key.toString('utf8'))},"${child.hash}",${child.records},${child.bytes}]\n`;
}

/** The first line of a node. */
export function encodeHeader(level: number): string {
  return `node ${level}\n`;
}

/** The bytes of a node. */
export function encodeNode(node: Node): Buffer {
  return Buffer.from(encodeHeader(node.level) + node.children.map(encodeChild).join(''), 'utf8');
}

/** Reads a node. @throws bad-chunk unless `bytes` are exactly what `encodeNode` writes. */
export function decodeNode(bytes: Buffer): Node {
  const lines = bytes.toString('utf8').split('\n');
  const level = decodeHeader(lines[0] as string);
  const children: Child[] = [];
  // What has the plain form is canonical already, as far as its bytes are UTF-8 and lines end as they must.
  let isPlain = isUtf8(bytes) && lines.at(-1) === '';
  for (let index = 1; index < lines.length - 1; index++) {
    const line = lines[index] as string;
    const plain = decodePlainChild(line);
    if (plain === undefined) isPlain = false;
    const child = plain ?? decodeChild(line);
    const before = children.at(-1);
    if (before !== undefined && before.key.compare(child.key) >= 0) {
      throw badNode('the children of a node are not in ascending order');
    }
    children.push(child);
  }
  if (children.length === 0) throw badNode('a node has no children');
  const node = { level, children };
  if (!isPlain && !encodeNode(node).equals(bytes)) throw badNode('a node is not in its canonical form');
  return node;
}

/** Totals of some children. */
export function sumChildren(children: readonly Child[]): { records: number; bytes: number } {
  let records = 0;
  let bytes = 0;
  for (const child of children) {
    records += child.records;
    bytes += child.bytes;
  }
  return { records, bytes };
}

/** Index of the first child from `from` on whose last key is not below `key`; the count if there is none. */
export function lowerBoundChild(children: readonly Child[], key: Buffer, from = 0): number {
  let low = from;
  let high = children.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((children[middle] as Child).key.compare(key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function decodeHeader(line: string): number {
  const match = /^node ([1-9][0-9]?)$/u.exec(line);
  const level = Number(match?.[1]);
  if (match === null || level > LEVEL_LIMIT) throw badNode('a node starts with no valid level');
  return level;
}

/** A child whose key needs no escape but that for the TAB between columns; its line can be written in one way only. */
const PLAIN_CHILD =
  // oxlint-disable-next-line no-control-regex -- control characters are what JSON escapes
  /^\["((?:[^"\\\u0000-\u001f]|\\t)*)","([0-9a-f]{64})",([1-9]\d{0,14}),([1-9]\d{0,14})\]$/u;

/** The common case of `decodeChild`, several times faster; undefined for any other line. */
function decodePlainChild(line: string): Child | undefined {
  const match = PLAIN_CHILD.exec(line);
  if (match === null) return undefined;
  const [, key, hash, records, bytes] = match as unknown as [string, string, Hash, string, string];
  const child = { key: Buffer.from(key.replaceAll('\\t', '\t')), hash, records: Number(records), bytes: Number(bytes) };
  return child.bytes < 2 * child.records ? undefined : child;
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
