/**
 * Finds the chunks that hold what is looked for, level by level, each level read in one go.
 */
import type { TreeRoot } from './build.ts';
import type { ChunkAccess } from './chunk-access.ts';
import type { Child, Node } from './node.ts';

/** Keys from `from` to `upTo`, both included; `upTo` need not be a key. */
export interface KeyRange {
  readonly from: Buffer;
  readonly upTo: Buffer;
}

/** A leaf, and which of the things looked for (`first` to `last`, `last` included) may lie in it. */
export interface Located {
  readonly leaf: Child;
  /** The node it is a child of, and which; undefined for the root. */
  readonly parent: Node | undefined;
  readonly position: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Leaves that may hold keys of the ranges, in ascending order, each once.
 *
 * @param ranges ascending and disjoint.
 */
export async function locateRanges(
  access: ChunkAccess,
  tree: TreeRoot,
  ranges: readonly KeyRange[],
): Promise<Located[]> {
  const root = await access.rootOf(tree);
  if (root === undefined || ranges.length === 0) return [];
  let found: Located[] = [{ leaf: root, parent: undefined, position: 0, first: 0, last: ranges.length - 1 }];
  for (let level = tree.height; level > 0; level--) {
    const nodes = await access.nodes(
      found.map((one) => one.leaf),
      level,
    );
    const below: Located[] = [];
    for (const [index, { first, last }] of found.entries()) {
      locateInNode(nodes[index] as Node, ranges, first, last, below);
    }
    found = below;
  }
  return found;
}

function locateInNode(parent: Node, ranges: readonly KeyRange[], first: number, last: number, below: Located[]): void {
  let range = first;
  let at = 0;
  while (range <= last) {
    at = parent.lowerBound((ranges[range] as KeyRange).from, at);
    if (at === parent.count) return;
    const child = parent.child(at);
    const start = range;
    // Further ranges that begin within the child.
    while (range < last && (ranges[range + 1] as KeyRange).from.compare(child.key) <= 0) range++;
    below.push({ leaf: child, parent, position: at, first: start, last: range });
    // The last of them may go on into the next child.
    if ((ranges[range] as KeyRange).upTo.compare(child.key) <= 0) range++;
    at++;
  }
}

/** Leaves that the records with these indices lie in, with the index of each leaf's first record. */
export async function locateIndices(
  access: ChunkAccess,
  tree: TreeRoot,
  indices: readonly number[],
): Promise<(Located & { readonly firstRecord: number })[]> {
  const root = await access.rootOf(tree);
  if (root === undefined || indices.length === 0) return [];
  let found: (Located & { readonly firstRecord: number })[] = [
    { leaf: root, parent: undefined, position: 0, first: 0, last: indices.length - 1, firstRecord: 0 },
  ];
  for (let level = tree.height; level > 0; level--) {
    const nodes = await access.nodes(
      found.map((one) => one.leaf),
      level,
    );
    const below: typeof found = [];
    for (const [index, one] of found.entries()) {
      let next = one.first;
      let firstRecord = one.firstRecord;
      const parent = nodes[index] as Node;
      for (const [position, child] of parent.children.entries()) {
        const start = next;
        while (next <= one.last && (indices[next] as number) < firstRecord + child.records) next++;
        if (next > start) below.push({ leaf: child, parent, position, first: start, last: next - 1, firstRecord });
        firstRecord += child.records;
      }
    }
    found = below;
  }
  return found;
}
