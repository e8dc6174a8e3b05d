import type { TreeRoot } from './build.ts';
import type { ChunkAccess } from './chunk-access.ts';
import type { Child, Node } from './node.ts';

/** Goes forward over the chunks of one level of a tree; every chunk is given out at most once. */
export class LevelCursor {
  readonly #access: ChunkAccess;
  readonly #tree: TreeRoot;
  readonly #level: number;
  /** From the root down to the parent of the current chunk; `index` is the next child to give out. */
  #path: { readonly node: Node; index: number }[] | undefined;
  #rootGiven = false;
  #hasSkipped = false;

  constructor(access: ChunkAccess, tree: TreeRoot, level: number) {
    this.#access = access;
    this.#tree = tree;
    this.#level = level;
  }

  /** Whether any chunk was passed over. */
  get hasSkipped(): boolean {
    return this.#hasSkipped;
  }

  /** The first chunk not given out yet whose last key is not below `key`, else the last chunk if it is still there. */
  async seek(key: Buffer): Promise<Child | undefined> {
    const path = await this.#openPath();
    if (path === undefined) return this.#giveRoot();
    while (path.length > 1) {
      const step = path.at(-1) as { node: Node; index: number };
      const { node } = step;
      if (step.index < node.count && node.compareKeyAt(node.count - 1, key) >= 0) break;
      // The rightmost path is kept: the key may lie beyond the end of the tree.
      if (this.#isRightmost(path)) break;
      if (step.index < node.count) this.#hasSkipped = true;
      path.pop();
    }
    return this.#descend(path, key);
  }

  /** The chunk after the one given out last. */
  async next(): Promise<Child | undefined> {
    const path = await this.#openPath();
    if (path === undefined) return this.#giveRoot();
    while (path.length > 1 && isDone(path.at(-1))) path.pop();
    return this.#descend(path, undefined);
  }

  async #openPath(): Promise<{ readonly node: Node; index: number }[] | undefined> {
    if (this.#tree.root === null || this.#level >= this.#tree.height) return undefined;
    if (this.#path === undefined) {
      const root = (await this.#access.rootOf(this.#tree)) as Child;
      this.#path = [{ node: await this.#access.node(root, this.#tree.height), index: 0 }];
    }
    return this.#path;
  }

  async #giveRoot(): Promise<Child | undefined> {
    if (this.#tree.root === null || this.#rootGiven || this.#level > this.#tree.height) return undefined;
    this.#rootGiven = true;
    return this.#access.rootOf(this.#tree);
  }

  #isRightmost(path: readonly { readonly node: Node; readonly index: number }[]): boolean {
    return path.slice(0, -1).every((step) => isDone(step));
  }

  async #descend(path: { readonly node: Node; index: number }[], key: Buffer | undefined): Promise<Child | undefined> {
    for (;;) {
      const step = path.at(-1) as { node: Node; index: number };
      const { count } = step.node;
      if (step.index >= count) return undefined;
      if (key !== undefined) {
        const found = Math.min(step.node.lowerBound(key, step.index), count - 1);
        if (found > step.index) this.#hasSkipped = true;
        step.index = found;
      }
      const child = step.node.child(step.index);
      step.index++;
      const level = step.node.level - 1;
      if (level === this.#level) return child;
      path.push({ node: await this.#access.node(child, level), index: 0 });
    }
  }
}

function isDone(step: { readonly node: Node; readonly index: number } | undefined): boolean {
  return step === undefined || step.index >= step.node.count;
}
