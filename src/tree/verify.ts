/**
 * Reads whole trees and checks them against the format: names, order, totals, and that every chunk ends where the
 * boundary rule says.
 *
 * Whether a chunk ends rightly depends on nothing outside it (T6), so what was found about a chunk holds in every
 * tree: a verifier that is kept reads a chunk once, however many versions share it.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { Boundary } from './boundary.ts';
import type { TreeRoot } from './build.ts';
import { ChunkAccess } from './chunk-access.ts';
import { keyAt, type Lines } from './lines.ts';
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

/** Sound chunks remembered, some 300 bytes each; what is forgotten is read again. */
const KNOWN_LIMIT = 1 << 20;

/** What is known of a chunk with nothing wrong in it or beneath it. */
interface Sound {
  readonly level: number;
  readonly first: Buffer;
  readonly last: Buffer;
  readonly records: number;
  readonly bytes: number;
  /** Whether it and the last chunks beneath it end by the rule, so that others may follow. */
  readonly isClosed: boolean;
  /** A node with one child: only the last of its level may be one (T7), and a root never (T9). */
  readonly isSingle: boolean;
}

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
  return new TreeVerifier(source, parameters).verify(tree);
}

/** Verifies trees that share chunks. */
export class TreeVerifier {
  readonly #source: ChunkSource;
  readonly #parameters: TreeParameters;
  readonly #known = new Map<Hash, Sound>();

  constructor(source: ChunkSource, parameters: TreeParameters = FORMAT_1_PARAMETERS) {
    this.#source = source;
    this.#parameters = parameters;
  }

  /** As `verifyTree`. */
  async verify(tree: TreeRoot): Promise<TreeProblem[]> {
    const problems = await new Verification(this.#source, tree, this.#parameters, this.#known).run();
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KNOWN_LIMIT) break;
      this.#known.delete(oldest);
    }
    return problems;
  }
}

class Verification {
  readonly #access: ChunkAccess;
  readonly #tree: TreeRoot;
  readonly #parameters: TreeParameters;
  readonly #known: Map<Hash, Sound>;
  readonly #problems: TreeProblem[] = [];
  /** After the first chunk that ends at the wrong place, those behind it do too: one is reported. */
  #isCanonical = true;

  constructor(source: ChunkSource, tree: TreeRoot, parameters: TreeParameters, known: Map<Hash, Sound>) {
    this.#access = new ChunkAccess(source);
    this.#tree = tree;
    this.#parameters = parameters;
    this.#known = known;
  }

  async run(): Promise<TreeProblem[]> {
    const { root: hash, height, records, bytes } = this.#tree;
    if (hash === null) return this.#problems;
    const known = this.#known.get(hash);
    const root =
      known === undefined
        ? await this.#attempt(() => this.#access.rootOf(this.#tree), hash)
        : { key: known.last, hash, records, bytes };
    if (root === undefined) return this.#problems;
    const [sound] = await this.#verifyAll([root], height);
    if (sound?.isSingle === true) this.#reportNodes();
    return this.#problems;
  }

  /** Verifies chunks of one level and all beneath them. @returns undefined for those that are not sound */
  async #verifyAll(children: readonly Child[], level: number): Promise<(Sound | undefined)[]> {
    const found: (Sound | undefined)[] = [];
    for (let at = 0; at < children.length; at += WINDOW_CHUNKS) {
      if (this.#problems.length >= PROBLEM_LIMIT) break;
      const window = children.slice(at, at + WINDOW_CHUNKS);
      const fresh = window.filter(({ hash }) => !this.#known.has(hash));
      if (level === 0) {
        const leaves = await this.#load(fresh, (some) => this.#access.leaves(some));
        for (const [index, lines] of leaves.entries())
          if (lines !== undefined) this.#leaf(fresh[index] as Child, lines);
      } else {
        const nodes = await this.#load(fresh, (some) => this.#access.nodes(some, level));
        for (const [index, node] of nodes.entries())
          if (node !== undefined) await this.#node(fresh[index] as Child, node);
      }
      for (const child of window) found.push(await this.#claimed(child, level));
    }
    return found;
  }

  /** What is known of a chunk, if its parent says the same of it. */
  async #claimed(child: Child, level: number): Promise<Sound | undefined> {
    const known = this.#known.get(child.hash);
    if (known === undefined) return undefined;
    return this.#attempt(async () => {
      if (known.level !== level)
        throw mismatch(child, `is of level ${known.level} where one of level ${level} must be`);
      if (!known.last.equals(child.key)) throw mismatch(child, 'does not end with the key its parent gives');
      if (known.records !== child.records || known.bytes !== child.bytes) {
        const [has, says] = [known, child].map(({ records, bytes }) => `${records} records in ${bytes} bytes`);
        throw mismatch(child, `has ${has}, not ${says}`);
      }
      return known;
    }, child.hash);
  }

  #leaf(child: Child, lines: Lines): void {
    const boundary = new Boundary(0, this.#parameters);
    const last = lines.count - 1;
    let isClosed = false;
    for (let index = 0; index < lines.count; index++) {
      const start = lines.starts[index] as number;
      const size = (lines.starts[index + 1] as number) - start;
      isClosed = boundary.endsAfter(lines.bytes, start, lines.keyEnds[index] as number, size);
      if (isClosed && index < last) {
        this.#reportLeaf(child.hash);
        return;
      }
    }
    // Copies: views would keep the leaf alive.
    const first = Buffer.from(keyAt(lines, 0));
    const { hash, records, bytes } = child;
    this.#known.set(hash, {
      level: 0,
      first,
      last: Buffer.from(keyAt(lines, last)),
      records,
      bytes,
      isClosed,
      isSingle: false,
    });
  }

  async #node(child: Child, { level, children, starts }: Node): Promise<void> {
    const before = this.#problems.length;
    const found = await this.#verifyAll(children, level - 1);
    const boundary = new Boundary(level, this.#parameters);
    let isClosed = false;
    for (const [index, below] of children.entries()) {
      const isLast = index === children.length - 1;
      const size = (starts[index + 1] as number) - (starts[index] as number);
      isClosed = boundary.endsAfter(below.key, 0, below.key.length, size);
      if (isClosed && !isLast) this.#reportNodes();
      const sound = found[index];
      if (sound === undefined) continue;
      if (!isLast && !sound.isClosed) {
        if (level === 1) this.#reportLeaf(below.hash);
        else this.#reportNodes();
      }
      if (index > 0 && sound.first.compare((children[index - 1] as Child).key) <= 0) {
        this.#report(below.hash, 'a leaf starts at or before the end of the leaf in front of it');
      }
      isClosed &&= sound.isClosed;
    }
    const first = found[0]?.first;
    if (this.#problems.length > before || first === undefined || !this.#isCanonical) return;
    const { key: last, hash, records, bytes } = child;
    this.#known.set(hash, { level, first, last, records, bytes, isClosed, isSingle: children.length === 1 });
  }

  /** Reads chunks together, and one by one where that fails, to tell the bad from the good. */
  async #load<T>(window: readonly Child[], read: (some: readonly Child[]) => Promise<T[]>): Promise<(T | undefined)[]> {
    if (window.length === 0) return [];
    try {
      return await read(window);
    } catch (error) {
      if (!isCorruption(error)) throw error;
    }
    const loaded: (T | undefined)[] = [];
    for (const child of window) loaded.push(await this.#attempt(async () => (await read([child]))[0], child.hash));
    return loaded;
  }

  async #attempt<T>(read: () => Promise<T>, hash: Hash): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.#report(hash, error.message);
      return undefined;
    }
  }

  #reportLeaf(hash: Hash): void {
    if (this.#isCanonical) this.#report(hash, 'a leaf does not end where the boundary rule says');
    this.#isCanonical = false;
  }

  #reportNodes(): void {
    const { root } = this.#tree;
    if (this.#isCanonical) this.#report(root, 'the nodes of the tree do not end where the boundary rule says');
    this.#isCanonical = false;
  }

  #report(hash: Hash | null, message: string): void {
    if (this.#problems.length < PROBLEM_LIMIT) this.#problems.push({ hash: hash ?? undefined, message });
  }
}

function mismatch(child: Child, what: string): UttrError {
  return new UttrError('bad-chunk', `chunk ${child.hash} ${what}`, { details: { chunk: child.hash } });
}

function isCorruption(error: unknown): error is Error {
  return isUttrError(error) && error.kind === 'corrupt';
}
