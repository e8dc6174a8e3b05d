/**
 * Reads a whole tree and checks it against the format: names, order, totals, and that every chunk ends where the
 * boundary rule says.
 */
import { isUttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { TreeBuilder, type TreeRoot } from './build.ts';
import { ChunkAccess } from './chunk-access.ts';
import { compareKeyAt, keyAt, type Lines } from './lines.ts';
import type { Child, Node } from './node.ts';
import { FORMAT_1_PARAMETERS, type TreeParameters } from './parameters.ts';

/** Something wrong with a tree. */
export interface TreeProblem {
  /** The chunk it is about; undefined if none can be named. */
  readonly hash: Hash | undefined;
  readonly message: string;
}

/** Problems reported of one tree. */
const PROBLEM_LIMIT = 100;

/** Chunks read together. */
const WINDOW_CHUNKS = 64;

/**
 * Reads every chunk of a tree.
 *
 * @returns what is wrong, at most 100 problems; none: the tree is sound.
 * @throws errors of `source` that are not about corrupt data.
 */
export async function verifyTree(
  source: ChunkSource,
  tree: TreeRoot,
  parameters: TreeParameters = FORMAT_1_PARAMETERS,
): Promise<TreeProblem[]> {
  return new Verification(source, tree, parameters).run();
}

class Verification {
  readonly #access: ChunkAccess;
  readonly #tree: TreeRoot;
  readonly #problems: TreeProblem[] = [];
  readonly #builder: TreeBuilder;
  /** Leaves as they are, waiting to be compared with leaves as they should be. */
  #found: Hash[] = [];
  #lastKey: Buffer | undefined;
  #isCanonical = true;

  constructor(source: ChunkSource, tree: TreeRoot, parameters: TreeParameters) {
    this.#access = new ChunkAccess(source);
    this.#tree = tree;
    const sink = {
      leaf: ({ hash }: { readonly hash: Hash }): void => {
        this.#compareLeaf(hash);
      },
      node(): void {},
      drain: () => Promise.resolve(),
    };
    this.#builder = new TreeBuilder(sink, parameters);
  }

  async run(): Promise<TreeProblem[]> {
    const root = await this.#attempt(() => this.#access.rootOf(this.#tree));
    if (root !== undefined) await this.#walk([root], this.#tree.height);
    if (this.#problems.length > 0) return this.#problems;
    const rebuilt = await this.#builder.finish();
    if (this.#problems.length === 0 && rebuilt.root !== this.#tree.root) {
      this.#report(this.#tree.root ?? undefined, 'the nodes of the tree do not end where the boundary rule says');
    }
    return this.#problems;
  }

  async #walk(children: readonly Child[], level: number): Promise<void> {
    for (let at = 0; at < children.length; at += WINDOW_CHUNKS) {
      if (this.#problems.length >= PROBLEM_LIMIT) return;
      const window = children.slice(at, at + WINDOW_CHUNKS);
      if (level === 0) {
        const leaves = await this.#load(window, (some) => this.#access.leaves(some));
        for (const [index, lines] of leaves.entries()) this.#takeLeaf(window[index] as Child, lines);
      } else {
        const nodes = await this.#load<Node>(window, (some) => this.#access.nodes(some, level));
        for (const node of nodes) if (node !== undefined) await this.#walk(node.children, level - 1);
      }
    }
  }

  /** Reads chunks together, and one by one where that fails, to tell the bad from the good. */
  async #load<T>(window: readonly Child[], read: (some: readonly Child[]) => Promise<T[]>): Promise<(T | undefined)[]> {
    try {
      return await read(window);
    } catch (error) {
      if (!isCorruption(error)) throw error;
    }
    const loaded: (T | undefined)[] = [];
    for (const child of window) loaded.push(await this.#attempt(async () => (await read([child]))[0], child.hash));
    return loaded;
  }

  async #attempt<T>(read: () => Promise<T>, hash = this.#tree.root): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.#report(hash ?? undefined, error.message);
      return undefined;
    }
  }

  #takeLeaf(child: Child, lines: Lines | undefined): void {
    if (lines === undefined) {
      this.#isCanonical = false;
      return;
    }
    if (this.#lastKey !== undefined && compareKeyAt(lines, 0, this.#lastKey) <= 0) {
      this.#report(child.hash, 'a leaf starts at or before the end of the leaf in front of it');
    }
    this.#lastKey = keyAt(lines, lines.count - 1);
    // After the first problem only chunks are checked: where the others should end is no longer known.
    if (!this.#isCanonical || this.#problems.length > 0) return;
    this.#found.push(child.hash);
    for (let index = 0; index < lines.count; index++) {
      const end = lines.starts[index + 1] as number;
      this.#builder.addLine(lines.bytes, lines.starts[index] as number, lines.keyEnds[index] as number, end);
    }
  }

  #compareLeaf(expected: Hash): void {
    const found = this.#found.shift();
    if (found === expected || !this.#isCanonical) return;
    this.#isCanonical = false;
    this.#report(found, 'a leaf does not end where the boundary rule says');
  }

  #report(hash: Hash | undefined, message: string): void {
    if (this.#problems.length < PROBLEM_LIMIT) this.#problems.push({ hash, message });
  }
}

function isCorruption(error: unknown): error is Error {
  return isUttrError(error) && error.kind === 'corrupt';
}
