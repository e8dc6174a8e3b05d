/**
 * Lists the chunks of a tree that other trees do not have: what a transfer must send, or a sweep must keep.
 *
 * Only nodes are read. A chunk that one of the other trees has on the same level is dropped with all beneath it
 * (T6), and of the other trees only what overlaps new chunks is read, so the cost follows what is new. The one
 * exception: of another tree that is higher than this one, the levels above are read in full.
 */
import type { Hash } from '../base/hash.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { TreeRoot } from './build.ts';
import { ChunkAccess } from './chunk-access.ts';
import { AFTER_ALL_KEYS } from './join.ts';
import type { Child } from './node.ts';

/** A chunk and what it is. */
export interface NewChunk {
  readonly hash: Hash;
  readonly kind: 'leaf' | 'node';
}

/** New nodes opened together. */
const WINDOW_NODES = 128;

/** A chunk with the key above which its own keys lie; undefined: it is the first. */
interface Span {
  readonly child: Child;
  readonly above: Buffer | undefined;
}

/**
 * Chunks reachable in `to` and in none of `from`, each once, parents before their children, each level of a batch
 * in ascending key order.
 *
 * @param from with no trees in it, all chunks of `to` are listed.
 */
export async function* newChunks(
  source: ChunkSource,
  from: readonly TreeRoot[],
  to: TreeRoot,
): AsyncGenerator<readonly NewChunk[]> {
  if (to.root === null) return;
  const walk = new Walk(new ChunkAccess(source), from, to);
  yield* walk.list(Math.max(to.height, ...from.map((tree) => tree.height)), [], []);
}

class Walk {
  readonly #access: ChunkAccess;
  readonly #from: readonly TreeRoot[];
  readonly #to: TreeRoot;

  constructor(access: ChunkAccess, from: readonly TreeRoot[], to: TreeRoot) {
    this.#access = access;
    this.#from = from;
    this.#to = to;
  }

  /** Lists what is new among `fresh` and beneath it; `known` are chunks of the other trees on the same level. */
  async *list(level: number, fresh: readonly Span[], known: readonly Span[]): AsyncGenerator<readonly NewChunk[]> {
    const ours = level === this.#to.height ? [await this.#rootSpan(this.#to)] : fresh;
    const theirs = unique([...known, ...(await this.#rootsAt(level))]);
    if (level > this.#to.height) {
      yield* this.list(level - 1, [], await this.#open(theirs, level));
      return;
    }
    const knownHashes = new Set(theirs.map(({ child }) => child.hash));
    const news = ours.filter(({ child }) => !knownHashes.has(child.hash));
    if (news.length === 0) return;
    yield news.map(({ child }) => ({ hash: child.hash, kind: level === 0 ? 'leaf' : 'node' }));
    if (level === 0) return;
    const shared = new Set(ours.map(({ child }) => child.hash));
    const rest = theirs.filter(({ child }) => !shared.has(child.hash));
    for (let at = 0; at < news.length; at += WINDOW_NODES) {
      const window = news.slice(at, at + WINDOW_NODES);
      const range = { above: window[0]?.above, upTo: (window.at(-1) as Span).child.key };
      const overlapping = await this.#open(rest.filter(overlaps(range)), level);
      yield* this.list(level - 1, await this.#open(window, level), overlapping.filter(overlaps(range)));
    }
  }

  /** Roots of the other trees on this level. */
  async #rootsAt(level: number): Promise<Span[]> {
    const spans: Span[] = [];
    for (const tree of this.#from) {
      if (tree.height === level && tree.root !== null) spans.push(await this.#rootSpan(tree));
    }
    return spans;
  }

  async #rootSpan(tree: TreeRoot): Promise<Span> {
    if (tree.height > 0) return { child: (await this.#access.rootOf(tree)) as Child, above: undefined };
    // A leaf is not read to learn its last key: of a root, any bound will do.
    const { root, records, bytes } = tree;
    return { child: { key: AFTER_ALL_KEYS, hash: root as Hash, records, bytes }, above: undefined };
  }

  async #open(spans: readonly Span[], level: number): Promise<Span[]> {
    const nodes = await this.#access.nodes(
      spans.map(({ child }) => child),
      level,
    );
    return nodes.flatMap(({ children }, index) =>
      children.map((child, position) => ({ child, above: children[position - 1]?.key ?? spans[index]?.above })),
    );
  }
}

function overlaps(range: { above: Buffer | undefined; upTo: Buffer }): (span: Span) => boolean {
  return ({ child, above }) =>
    (range.above === undefined || child.key.compare(range.above) > 0) &&
    (above === undefined || above.compare(range.upTo) < 0);
}

function unique(spans: readonly Span[]): Span[] {
  return [...new Map(spans.map((span) => [span.child.hash, span])).values()];
}
