/**
 * Reads a tree: single keys, whole groups of keys, everything in order, or records by their number.
 */
import { assert } from '../base/errors.ts';
import type { ChunkReading, ChunkSource } from '../store/chunks.ts';
import type { TreeRoot } from './build.ts';
import { ChunkAccess, LEAVES_ONCE } from './chunk-access.ts';
import { AFTER_ALL_KEYS } from './join.ts';
import { compareKeyAt, entriesOf, entryAt, lowerBoundLine, valueAt, type Entry, type Lines } from './lines.ts';
import { locateIndices, locateRanges, type KeyRange } from './locate.ts';
import { sumChildren, type Child } from './node.ts';
import { mapAhead } from './read-ahead.ts';

/** Keys, prefixes or numbers looked up in one descent. */
const LOOKUP_WINDOW = 512;

/** Leaves read in one call: a scan starts with few, for callers that want a page, and doubles up to the limit. */
const FIRST_LEAVES = 4;
const LEAVES_LIMIT = 64;

/** Parents read in one call, starting with one. */
const PARENTS_LIMIT = 16;

/** Calls under way ahead of the leaves being used. */
const CALLS_AHEAD = 2;

/** A scan of so large a tree is likely to go on once it is well under way. */
const BULK_BYTES = 16 * 2 ** 20;
const LEAVES_IN_BULK: ChunkReading = { ...LEAVES_ONCE, bulk: true };

/** Where a scan starts: at the first key not below `from`, or at record number `skip`. */
export interface ScanStart {
  readonly from?: Buffer | undefined;
  readonly skip?: number | undefined;
}

/** Some leaves in order (or chunks above them), with the number of the first record beneath. */
interface LeafRun {
  readonly leaves: readonly Child[];
  readonly firstRecord: number;
}

/** Reads one tree. Entries it gives are views of chunks and must not be changed. */
export class TreeReader {
  readonly #access: ChunkAccess;
  readonly #tree: TreeRoot;

  constructor(source: ChunkSource, tree: TreeRoot) {
    this.#access = new ChunkAccess(source);
    this.#tree = tree;
  }

  /** The value of each key; undefined where there is none. @param keys in ascending order. */
  async getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    assertAscending(keys);
    const values: (Buffer | undefined)[] = Array.from({ length: keys.length });
    const ranges = keys.map((key) => ({ from: key, upTo: key }));
    await this.#eachLeaf(ranges, (lines, index) => {
      const key = keys[index] as Buffer;
      const line = lowerBoundLine(lines, key);
      if (line < lines.count && compareKeyAt(lines, line, key) === 0) values[index] = valueAt(lines, line);
    });
    return values;
  }

  /** All entries whose keys start with each prefix. @param prefixes in ascending order, none the start of another. */
  async prefixes(prefixes: readonly Buffer[]): Promise<Entry[][]> {
    const ranges = prefixes.map((prefix) => ({ from: prefix, upTo: Buffer.concat([prefix, AFTER_ALL_KEYS]) }));
    for (let index = 1; index < ranges.length; index++) {
      const isAfter = (ranges[index - 1] as KeyRange).upTo.compare((ranges[index] as KeyRange).from) < 0;
      assert(isAfter, 'prefixes ascend and none is the start of another');
    }
    const groups: Entry[][] = prefixes.map(() => []);
    await this.#eachLeaf(ranges, (lines, index) => {
      const { from, upTo } = ranges[index] as KeyRange;
      const group = groups[index] as Entry[];
      for (let line = lowerBoundLine(lines, from); line < lines.count; line++) {
        if (compareKeyAt(lines, line, upTo) > 0) break;
        group.push(entryAt(lines, line));
      }
    });
    return groups;
  }

  /** The entries with these numbers, counted from 0. @param indices in ascending order, each below the record count. */
  async at(indices: readonly number[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let start = 0; start < indices.length; start += LOOKUP_WINDOW) {
      const window = indices.slice(start, start + LOOKUP_WINDOW);
      for (const [position, index] of window.entries()) {
        const isInside = Number.isSafeInteger(index) && index >= 0 && index < this.#tree.records;
        assert(isInside && (window[position - 1] ?? 0) <= index, 'record numbers ascend and lie within the tree');
      }
      const located = await locateIndices(this.#access, this.#tree, window);
      const leaves = await this.#access.leaves(located.map(({ leaf }) => leaf));
      for (const [position, { first, last, firstRecord }] of located.entries()) {
        const lines = leaves[position] as Lines;
        for (let index = first; index <= last; index++) {
          entries.push(entryAt(lines, (window[index] as number) - firstRecord));
        }
      }
    }
    return entries;
  }

  /** All entries in order, leaf by leaf, reading ahead. */
  async *scan(start: ScanStart = {}): AsyncGenerator<readonly Entry[]> {
    const skip = start.skip ?? 0;
    for await (const { leaves, firstRecord } of this.#readLeaves(start)) {
      let number = firstRecord;
      for (const lines of leaves) {
        let line = Math.max(0, skip - number);
        if (start.from !== undefined) line = lowerBoundLine(lines, start.from, Math.min(line, lines.count));
        if (line < lines.count) yield entriesOf(lines, line);
        number += lines.count;
      }
    }
  }

  /** The lines of all leaves in order, some leaves at a time, reading ahead: for whoever needs no object for each entry. */
  async *scanLines(): AsyncGenerator<readonly Lines[]> {
    for await (const { leaves } of this.#readLeaves({})) yield leaves;
  }

  /** Calls `use` for every range and leaf in which it may have entries, in order. */
  async #eachLeaf(ranges: readonly KeyRange[], use: (lines: Lines, index: number) => void): Promise<void> {
    for (let start = 0; start < ranges.length; start += LOOKUP_WINDOW) {
      const located = await locateRanges(this.#access, this.#tree, ranges.slice(start, start + LOOKUP_WINDOW));
      // A range may cover any number of leaves, so they are read in bounded calls.
      for (let at = 0; at < located.length; at += LOOKUP_WINDOW) {
        const part = located.slice(at, at + LOOKUP_WINDOW);
        const leaves = await this.#access.leaves(
          part.map(({ leaf }) => leaf),
          LEAVES_ONCE,
        );
        for (const [position, { first, last }] of part.entries()) {
          for (let index = first; index <= last; index++) use(leaves[position] as Lines, start + index);
        }
      }
    }
  }

  #readLeaves(start: ScanStart): AsyncGenerator<{ leaves: Lines[]; firstRecord: number }> {
    let read = 0;
    return mapAhead(leafRuns(this.#access, this.#tree, start), CALLS_AHEAD, async ({ leaves, firstRecord }) => {
      const isBulk = this.#tree.bytes >= BULK_BYTES && read >= LEAVES_LIMIT;
      read += leaves.length;
      return { leaves: await this.#access.leaves(leaves, isBulk ? LEAVES_IN_BULK : LEAVES_ONCE), firstRecord };
    });
  }
}

/** The leaves from the start on, in runs that grow up to the limit. */
async function* leafRuns(access: ChunkAccess, tree: TreeRoot, start: ScanStart): AsyncGenerator<LeafRun> {
  let size = FIRST_LEAVES;
  for await (const run of chunksAt(access, tree, 0, start)) {
    let firstRecord = run.firstRecord;
    for (let at = 0; at < run.leaves.length;) {
      const leaves = run.leaves.slice(at, at + size);
      yield { leaves, firstRecord };
      firstRecord += sumChildren(leaves).records;
      at += leaves.length;
      size = Math.min(size * 2, LEAVES_LIMIT);
    }
  }
}

/** The chunks of a level from the start on, those of a few parents at a time. */
async function* chunksAt(
  access: ChunkAccess,
  tree: TreeRoot,
  level: number,
  start: ScanStart,
): AsyncGenerator<LeafRun> {
  if (level === tree.height) {
    const root = await access.rootOf(tree);
    if (root !== undefined) yield afterStart({ leaves: [root], firstRecord: 0 }, start);
    return;
  }
  let size = 1;
  for await (const { leaves: parents, firstRecord } of chunksAt(access, tree, level + 1, start)) {
    let number = firstRecord;
    for (let at = 0; at < parents.length;) {
      const window = parents.slice(at, at + size);
      const nodes = await access.nodes(window, level + 1);
      yield afterStart({ leaves: nodes.flatMap(({ children }) => children), firstRecord: number }, start);
      number += sumChildren(window).records;
      at += window.length;
      size = Math.min(size * 2, PARENTS_LIMIT);
    }
  }
}

/** Drops leading chunks that end before the start. */
function afterStart(run: LeafRun, { from, skip = 0 }: ScanStart): LeafRun {
  let { firstRecord } = run;
  let dropped = 0;
  for (const child of run.leaves) {
    const isBefore = firstRecord + child.records <= skip || (from !== undefined && child.key.compare(from) < 0);
    if (!isBefore) break;
    firstRecord += child.records;
    dropped++;
  }
  return { leaves: run.leaves.slice(dropped), firstRecord };
}

function assertAscending(keys: readonly Buffer[]): void {
  for (let index = 1; index < keys.length; index++) {
    assert((keys[index - 1] as Buffer).compare(keys[index] as Buffer) < 0, 'keys ascend strictly');
  }
}
