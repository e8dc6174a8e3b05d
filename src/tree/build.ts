/**
 * Builds a whole tree from sorted entries, every level in one pass.
 *
 * T9  A level with one chunk is the last one: that chunk is the root, and no node is put on top of it. The root is
 *     therefore the same for the same entries, and never a node with a single child. A tree without entries has
 *     no root.
 */
import { assert } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ChunkSink } from '../store/chunks.ts';
import { LEVEL_LIMIT, type Child } from './node.ts';
import { FORMAT_1_PARAMETERS, type TreeParameters } from './parameters.ts';
import { LeafWriter, NodeWriter } from './writers.ts';

/** Names a tree and tells its size. */
export interface TreeRoot {
  /** null: the tree is empty. */
  readonly root: Hash | null;
  /** 0: the root is a leaf, or the tree is empty. */
  readonly height: number;
  readonly records: number;
  /** Raw bytes of all leaves. */
  readonly bytes: number;
}

export const EMPTY_TREE: TreeRoot = { root: null, height: 0, records: 0, bytes: 0 };

/** The tree whose root is `child`. */
export function treeOf(child: Child, height: number): TreeRoot {
  return { root: child.hash, height, records: child.records, bytes: child.bytes };
}

/** Chunks a builder hands over before it asks to be drained. */
const DRAIN_CHUNKS = 64;

/** The levels above a sequence of chunks, grown while the sequence comes in. */
export class Pyramid {
  readonly #base: number;
  readonly #parameters: TreeParameters;
  readonly #sink: Pick<ChunkSink, 'node'>;
  /** Of each level from the base up: its chunks so far, and the writer of the nodes above them. */
  readonly #levels: { chunks: number; last: Child; readonly parents: NodeWriter }[] = [];

  /** @param base the level of the chunks to come: 0 for leaves. */
  constructor(sink: Pick<ChunkSink, 'node'>, base: number, parameters: TreeParameters) {
    this.#sink = sink;
    this.#base = base;
    this.#parameters = parameters;
  }

  /** Takes the next chunk of the base level. */
  add(child: Child): void {
    this.#addAt(this.#base, child);
  }

  /** Ends the open nodes. @returns the root and its level; undefined when nothing was added. */
  finish(): { readonly child: Child; readonly level: number } | undefined {
    for (let index = 0; ; index++) {
      const level = this.#levels[index];
      if (level === undefined) return undefined;
      // The writer above holds this one child and has written nothing, for a node it ends has two.
      if (level.chunks === 1) return { child: level.last, level: this.#base + index };
      level.parents.flush();
    }
  }

  #addAt(level: number, child: Child): void {
    assert(level < LEVEL_LIMIT, 'a tree has fewer levels than the limit');
    const known = this.#levels[level - this.#base];
    if (known === undefined) {
      const parents = new NodeWriter(level + 1, this.#parameters, (node, bytes) => {
        this.#sink.node({ hash: node.hash, bytes, replaces: [] });
        this.#addAt(level + 1, node);
      });
      this.#levels.push({ chunks: 1, last: child, parents });
      parents.append(child);
      return;
    }
    known.chunks++;
    known.last = child;
    known.parents.append(child);
  }
}

/**
 * Builds a tree from entries that come in strictly ascending order of their keys.
 *
 * Call `drain` whenever `needsDrain` says so, which bounds what the sink holds. The bytes given to the sink are
 * views of slabs of 256 KiB that are not used again. Values are trusted to be canonical JSON, so without TAB and LF.
 */
export class TreeBuilder {
  readonly #sink: ChunkSink;
  readonly #pyramid: Pyramid;
  readonly #leaves: LeafWriter;
  #undrained = 0;

  constructor(sink: ChunkSink, parameters: TreeParameters = FORMAT_1_PARAMETERS) {
    this.#sink = sink;
    const put = (chunk: Parameters<ChunkSink['node']>[0]): void => {
      this.#undrained++;
      sink.node(chunk);
    };
    this.#pyramid = new Pyramid({ node: put }, 0, parameters);
    this.#leaves = new LeafWriter(parameters, (leaf, bytes) => {
      this.#undrained++;
      sink.leaf({ hash: leaf.hash, bytes, replaces: [] });
      this.#pyramid.add(leaf);
    });
  }

  /**
   * Copies the line `line[start..end)`: key, TAB at `keyEnd`, value, LF.
   *
   * @throws internal if keys do not ascend strictly or the line is not framed so.
   */
  addLine(line: Buffer, start: number, keyEnd: number, end: number): void {
    this.#leaves.append(line, start, keyEnd, end);
  }

  /** As `addLine`, from an entry in parts. */
  add(key: Buffer, value: Buffer): void {
    this.#leaves.appendEntry(key, value);
  }

  /**
   * Takes a leaf that was built elsewhere and is stored already: the seam of a parallel build. What was added
   * before must end with an anchor (isAnchor) or be whole leaves, and so must this leaf if anything follows.
   */
  addLeaf(leaf: Child): void {
    assert(this.#leaves.isEmpty, 'a leaf follows a whole leaf');
    this.#pyramid.add(leaf);
  }

  get needsDrain(): boolean {
    return this.#undrained >= DRAIN_CHUNKS;
  }

  /** Waits until the sink can take more. */
  async drain(): Promise<void> {
    this.#undrained = 0;
    await this.#sink.drain();
  }

  /** Ends the tree. The builder cannot be used again. */
  async finish(): Promise<TreeRoot> {
    this.#leaves.flush();
    const top = this.#pyramid.finish();
    await this.drain();
    return top === undefined ? EMPTY_TREE : treeOf(top.child, top.level);
  }
}
