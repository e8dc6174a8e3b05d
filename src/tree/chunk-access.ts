/**
 * Reads the chunks of trees: decoded, checked against what their parents say of them, nodes cached.
 */
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ChunkReading, ChunkSource } from '../store/chunks.ts';
import type { TreeRoot } from './build.ts';
import { compareKeyAt, keyAt, parseLeaf, type Lines } from './lines.ts';
import { decodeNode, type Child, type Node } from './node.ts';

/** Decoded nodes kept; at some tens of children each, about 40 MB at worst. */
const NODE_CACHE_LIMIT = 4096;

/** Leaves kept of those fetched ahead; more are fetched only if they were not needed after all. */
const LEAVES_AHEAD_LIMIT = 2048;

const LEAVES: ChunkReading = { leaves: true };
/** For leaves that are used once, and soon. */
export const LEAVES_ONCE: ChunkReading = { leaves: true, once: true };

export class ChunkAccess {
  readonly #source: ChunkSource;
  /** In order of last use. */
  readonly #nodes = new Map<Hash, Node>();
  /** Leaves fetched ahead of their only use. */
  readonly #leaves = new Map<Hash, Lines>();

  constructor(source: ChunkSource) {
    this.#source = source;
  }

  /** The root as a child, which takes reading it to learn its last key; undefined for an empty tree. */
  async rootOf(tree: TreeRoot): Promise<Child | undefined> {
    if (tree.root === null) return undefined;
    const totals = { hash: tree.root, records: tree.records, bytes: tree.bytes };
    if (tree.height === 0) {
      const lines = this.#leaves.get(tree.root) ?? parse(tree.root, await this.#source.get(tree.root, LEAVES));
      const child = { ...totals, key: Buffer.from(keyAt(lines, lines.count - 1)) };
      checkLeaf(child, lines);
      this.#leaves.set(tree.root, lines);
      return child;
    }
    const node = this.#cached(tree.root) ?? decode(tree.root, await this.#source.get(tree.root));
    const child = { ...totals, key: node.lastKey };
    checkNode(child, node, tree.height);
    this.#keep(tree.root, node);
    return child;
  }

  async node(child: Child, level: number): Promise<Node> {
    const node = this.#cached(child.hash) ?? decode(child.hash, await this.#source.get(child.hash));
    checkNode(child, node, level);
    this.#keep(child.hash, node);
    return node;
  }

  /** Several nodes in one go. */
  async nodes(children: readonly Child[], level: number): Promise<Node[]> {
    const found = new Map<Hash, Node>();
    const missing: Hash[] = [];
    for (const { hash } of children) {
      const node = this.#cached(hash);
      if (node === undefined) missing.push(hash);
      else found.set(hash, node);
    }
    if (missing.length > 0) {
      const chunks = await this.#source.getMany(missing);
      for (const [index, hash] of missing.entries()) found.set(hash, decode(hash, chunks[index] as Buffer));
    }
    return children.map((child) => {
      const node = found.get(child.hash) as Node;
      checkNode(child, node, level);
      this.#keep(child.hash, node);
      return node;
    });
  }

  /** One leaf; takes it from those fetched ahead if it is there. */
  async leaf(child: Child): Promise<Lines> {
    const ahead = this.#leaves.get(child.hash);
    if (ahead !== undefined) {
      this.#leaves.delete(child.hash);
      return ahead;
    }
    const lines = parse(child.hash, await this.#source.get(child.hash, LEAVES));
    checkLeaf(child, lines);
    return lines;
  }

  /** Several leaves in one go. */
  async leaves(children: readonly Child[], reading = LEAVES): Promise<Lines[]> {
    if (children.length === 0) return [];
    const chunks = await this.#source.getMany(
      children.map((child) => child.hash),
      reading,
    );
    return children.map((child, index) => {
      const lines = parse(child.hash, chunks[index] as Buffer);
      checkLeaf(child, lines);
      return lines;
    });
  }

  /** Fetches leaves that `leaf` will be asked for soon. */
  async fetchAhead(children: readonly Child[]): Promise<void> {
    const missing = children.filter((child) => !this.#leaves.has(child.hash));
    // Each is used once, and soon: no copies are made of what lies in a frame.
    const leaves = await this.leaves(missing, LEAVES_ONCE);
    for (const [index, child] of missing.entries()) this.#leaves.set(child.hash, leaves[index] as Lines);
    dropOldest(this.#leaves, LEAVES_AHEAD_LIMIT);
  }

  /** A leaf that was fetched ahead and not yet used. */
  fetched(child: Child): Lines | undefined {
    return this.#leaves.get(child.hash);
  }

  #cached(hash: Hash): Node | undefined {
    return this.#nodes.get(hash);
  }

  #keep(hash: Hash, node: Node): void {
    this.#nodes.delete(hash);
    this.#nodes.set(hash, node);
    dropOldest(this.#nodes, NODE_CACHE_LIMIT);
  }
}

function dropOldest(cache: Map<Hash, unknown>, limit: number): void {
  for (const oldest of cache.keys()) {
    if (cache.size <= limit) return;
    cache.delete(oldest);
  }
}

function parse(hash: Hash, bytes: Buffer): Lines {
  return named(hash, () => parseLeaf(bytes));
}

function decode(hash: Hash, bytes: Buffer): Node {
  return named(hash, () => decodeNode(bytes));
}

/** Adds to a decoder's message which chunk it is about. */
function named<T>(hash: Hash, decoder: () => T): T {
  try {
    return decoder();
  } catch (cause) {
    if (!(cause instanceof UttrError)) throw cause;
    throw new UttrError('bad-chunk', `chunk ${hash}: ${cause.message}`, { cause, details: { chunk: hash } });
  }
}

function checkLeaf(child: Child, lines: Lines): void {
  const lastFits = compareKeyAt(lines, lines.count - 1, child.key) === 0;
  checkTotals(child, lines.count, lines.bytes.length, lastFits);
}

function checkNode(child: Child, node: Node, level: number): void {
  if (node.level !== level) {
    throw mismatch(child, `is a node of level ${node.level} where one of level ${level} must be`);
  }
  const { records, bytes } = node.totals();
  checkTotals(child, records, bytes, node.compareKeyAt(node.count - 1, child.key) === 0);
}

function checkTotals(child: Child, records: number, bytes: number, lastKeyFits: boolean): void {
  if (!lastKeyFits) throw mismatch(child, 'does not end with the key its parent gives');
  if (records !== child.records || bytes !== child.bytes) {
    throw mismatch(child, `has ${records} records in ${bytes} bytes, not ${child.records} in ${child.bytes}`);
  }
}

function mismatch(child: Child, what: string): UttrError {
  return new UttrError('bad-chunk', `chunk ${child.hash} ${what}`, { details: { chunk: child.hash } });
}
