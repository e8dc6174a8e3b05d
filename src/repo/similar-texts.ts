/**
 * The texts of a version, to be asked which of them are like the texts of a batch.
 *
 * A dataset has an index in files of its own (src/checks/trigram-index.ts): segments that never change, and a small file
 * that says which they are and up to which version they go. The texts of later versions go into further segments; the
 * smaller ones are joined, so that there are few. Texts that left the data stay in it until it is made anew: what is
 * found is looked up in the version.
 *
 * It is a cache of one working copy: where it is missing or damaged it is made again.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isUttrError, throwIfAborted } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { CheckedRecord } from '../checks/check.ts';
import type { Neighbour } from '../checks/run.ts';
import { Query, Segment, SEGMENT_TEXTS, SegmentBuilder, type TrigramOrder } from '../checks/trigram-index.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupOfFold } from '../records/key.ts';
import { UNLABELLED_PLACE } from '../records/manifest.ts';
import { fold } from '../records/text.ts';
import { discard, writeDurably } from '../store/durable-file.ts';
import { TreeReader } from '../tree/reader.ts';
import { BaseLookup } from './base-lookup.ts';
import { wholeFold } from './commit-plan.ts';
import { compareGroups } from './group-order.ts';
import { intentJson } from './group-state.ts';
import { recordChanges } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { SIMILAR } from './similar-segments.ts';
import { loadVersion, type Version } from './versions.ts';

const TAB = 9;
/** Groups that are told for one text: the nearest ones. */
const NEAREST = 20;
/** An index is made for this likeness, which is what the checks ask for by default, or for a lower one. */
const USUAL_THRESHOLD = 0.7;
/** A first segment with less than this part of the texts orders trigrams badly. */
const FIRST_PART = 1 / 8;
/** Groups looked up in the version at once. */
const LOOKUP_GROUPS = 1024;

interface State {
  readonly uttr: 1;
  /** The version whose texts are all in it. */
  readonly version: Hash;
  /** The least likeness that it can be asked for. */
  readonly threshold: number;
  /** The first one orders the trigrams. */
  readonly segments: readonly { readonly file: string; readonly texts: number }[];
}

interface SimilarOptions {
  /** The least likeness that it will be asked for. */
  readonly threshold: number;
  /** Texts that may be indexed for this at most: it may take seconds for a million. */
  readonly limit: number;
}

/** The index of one dataset, up to one version, open. */
class SimilarTexts {
  readonly #repository: Repository;
  readonly #version: Version;
  readonly #segments: readonly OpenSegment[];

  private constructor(repository: Repository, version: Version, segments: readonly OpenSegment[]) {
    this.#repository = repository;
    this.#version = version;
    this.#segments = segments;
  }

  /** undefined where more texts than the limit would have to be indexed first. */
  static async open(
    repository: Repository,
    version: Version,
    options: SimilarOptions,
  ): Promise<SimilarTexts | undefined> {
    const maker = new IndexMaker(repository, version, options);
    const known = await maker.readState();
    const state = known === undefined ? await maker.makeAnew() : await maker.bringUp(known);
    if (state === undefined) return undefined;
    const segments = openAll(repository, state);
    if (segments !== undefined) return new SimilarTexts(repository, version, segments);
    // Damaged, or another command has joined segments meanwhile.
    const again = await maker.makeAnew();
    const opened = again === undefined ? undefined : openAll(repository, again);
    return opened === undefined ? undefined : new SimilarTexts(repository, version, opened);
  }

  /** The groups of the version that are like the texts, the nearest of each text. */
  async neighbours(
    texts: readonly CheckedRecord[],
    threshold: number,
    isChanged: (group: string) => boolean,
  ): Promise<readonly Neighbour[]> {
    const found: { readonly changed: CheckedRecord; readonly group: string; readonly similarity: number }[] = [];
    for (const changed of texts) {
      throwIfAborted(this.#repository.signal);
      for (const [group, similarity] of this.#nearest(changed, threshold, isChanged)) {
        found.push({ changed, group, similarity });
      }
    }
    const there = await this.#lookUp(new Set(found.map(({ group }) => group)));
    return found.flatMap(({ changed, group, similarity }) => {
      const other = there.get(group);
      return other === undefined ? [] : [{ changed, other, similarity }];
    });
  }

  close(): void {
    for (const { close } of this.#segments) close();
  }

  #nearest(
    { record }: CheckedRecord,
    threshold: number,
    isChanged: (group: string) => boolean,
  ): (readonly [string, number])[] {
    const [first] = this.#segments;
    if (first === undefined) return [];
    const query = new Query(fold(record.text), first.segment);
    const all = new Map<string, number>();
    for (const { segment } of this.#segments) {
      segment.search(query, threshold, (folded, similarity) => {
        const group = groupOfFold(folded);
        if (!isChanged(group)) all.set(group, similarity);
      });
    }
    return [...all].sort(([a, alikeA], [b, alikeB]) => alikeB - alikeA || (a < b ? -1 : 1)).slice(0, NEAREST);
  }

  /** The labelled record that stands for each group, where the version has one. */
  async #lookUp(groups: ReadonlySet<string>): Promise<Map<string, CheckedRecord>> {
    const { chunks } = this.#repository;
    const lookup = new BaseLookup(chunks, this.#version.manifest);
    const names = [...groups].map((group) => Buffer.from(group)).sort(compareGroups);
    const found = new Map<string, CheckedRecord>();
    for (let from = 0; from < names.length; from += LOOKUP_GROUPS) {
      const part = names.slice(from, from + LOOKUP_GROUPS);
      for (const [index, { home, members }] of (await lookup.groups(part)).entries()) {
        const record = [...members.values()]
          .map((json) => decodeRecord(json))
          .find(({ intent }) => intent !== undefined);
        const group = (part[index] as Buffer).toString('utf8');
        if (record !== undefined) found.set(group, { record, side: home, group });
      }
    }
    return found;
  }
}

interface OpenSegment {
  readonly segment: Segment;
  readonly close: () => void;
}

/** undefined where one of them is not there, or not whole. */
function openAll(repository: Repository, state: State): readonly OpenSegment[] | undefined {
  const opened: OpenSegment[] = [];
  for (const { file } of state.segments) {
    const one = openSegment(repository.path(SIMILAR, file));
    if (one === undefined) {
      for (const { close } of opened) close();
      return undefined;
    }
    opened.push(one);
  }
  return opened;
}

function openSegment(path: string): OpenSegment | undefined {
  let file: number | undefined;
  try {
    const descriptor = openSync(path, 'r');
    file = descriptor;
    const read = (target: Uint8Array, position: number): void => {
      let done = 0;
      while (done < target.length) {
        const bytes = readSync(descriptor, target, done, target.length - done, position + done);
        if (bytes === 0) throw new Error('the file is shorter than it was');
        done += bytes;
      }
    };
    const segment = Segment.open(read, fstatSync(descriptor).size);
    if (segment !== undefined) return { segment, close: () => closeSync(descriptor) };
  } catch {
    // As good as no file.
  }
  if (file !== undefined) closeSync(file);
  return undefined;
}

/** Makes the index of a dataset, or brings it up to a version. */
class IndexMaker {
  readonly #repository: Repository;
  readonly #version: Version;
  readonly #options: SimilarOptions;
  readonly #path: string;

  constructor(repository: Repository, version: Version, options: SimilarOptions) {
    this.#repository = repository;
    this.#version = version;
    this.#options = options;
    this.#path = repository.path(SIMILAR, `${version.manifest.dataset}.json`);
  }

  /** What there is; undefined where it is missing, damaged, or made for likenesses that are too high. */
  async readState(): Promise<State | undefined> {
    try {
      const state = JSON.parse(await readFile(this.#path, 'utf8')) as State;
      const isUsable = state.uttr === 1 && state.threshold <= this.#options.threshold && state.segments.length > 0;
      return isUsable ? state : undefined;
    } catch {
      return undefined;
    }
  }

  async isQuick(): Promise<boolean> {
    return this.#texts() <= this.#options.limit || (await this.readState()) !== undefined;
  }

  /** All texts of the version. */
  async makeAnew(): Promise<State | undefined> {
    const { manifest } = this.#version;
    const total = this.#texts();
    if (total > this.#options.limit) return undefined;
    const before = await this.readState();
    const segments: { file: string; texts: number }[] = [];
    let builder = new SegmentBuilder();
    let order: OpenSegment | undefined;
    const { threshold } = this.#options;
    const flush = async (): Promise<void> => {
      segments.push(await this.#writeSegment(builder, threshold, order?.segment));
      order ??= openSegment(this.#repository.path(SIMILAR, (segments[0] as { file: string }).file));
      builder = new SegmentBuilder();
    };
    let done = 0;
    for (const tree of Object.values(manifest.sides)) {
      let last = '';
      for await (const leaves of new TreeReader(this.#repository.chunks, tree).scanLines()) {
        throwIfAborted(this.#repository.signal);
        for (const { bytes, count, starts, keyEnds } of leaves) {
          for (let index = 0; index < count; index++) {
            const start = starts[index] as number;
            const value = (): Buffer =>
              bytes.subarray((keyEnds[index] as number) + 1, (starts[index + 1] as number) - 1);
            const folded = wholeFold(bytes, start, bytes.indexOf(TAB, start), value);
            if (folded !== last) builder.add(folded);
            last = folded;
          }
          done += count;
        }
        this.#repository.progress.update('indexing texts', done, total, 'records');
        if (builder.count >= SEGMENT_TEXTS) await flush();
      }
    }
    if (builder.count > 0 || segments.length === 0) await flush();
    order?.close();
    return this.#record(segments, threshold, before);
  }

  /** Adds the texts that came since. */
  async bringUp(state: State): Promise<State | undefined> {
    if (state.version === this.#version.hash) return state;
    const added = await this.#textsSince(state.version);
    const indexed = state.segments.reduce((sum, { texts }) => sum + texts, 0);
    const first = state.segments[0]?.texts ?? 0;
    const total = indexed + (added?.size ?? 0);
    const isOutgrown = first < SEGMENT_TEXTS && first < total * FIRST_PART;
    const isStale = total > 2 * this.#texts() + LOOKUP_GROUPS;
    const mayMakeAnew = this.#texts() <= this.#options.limit;
    if (added === undefined || ((isOutgrown || isStale) && mayMakeAnew)) return this.makeAnew();
    return this.#append(state, added);
  }

  async #append(state: State, added: ReadonlySet<string>): Promise<State | undefined> {
    const { threshold } = state;
    if (added.size === 0) return this.#record(state.segments, threshold, state);
    const opened = openAll(this.#repository, state);
    if (opened === undefined) return this.makeAnew();
    try {
      const builder = new SegmentBuilder();
      for (const folded of added) builder.add(folded);
      let kept = opened.length;
      // The first one stays: all others are ordered by it.
      while (kept > 1 && (opened[kept - 1] as OpenSegment).segment.count <= 2 * builder.count) {
        const { segment } = opened[--kept] as OpenSegment;
        for (let number = 0; number < segment.count; number++) builder.add(segment.nameOf(number));
      }
      const next = await this.#writeSegment(builder, threshold, opened[0]?.segment);
      return await this.#record([...state.segments.slice(0, kept), next], threshold, state);
    } finally {
      for (const { close } of opened) close();
    }
  }

  /** Folded texts with a label that a version may not have had; undefined where they are too many, or it is not known. */
  async #textsSince(hash: Hash): Promise<Set<string> | undefined> {
    const added = new Set<string>();
    try {
      const from = await loadVersion(this.#repository, hash);
      for await (const batch of recordChanges(this.#repository, from, this.#version)) {
        for (const { side, before, after } of batch) {
          if (after === undefined || side === UNLABELLED_PLACE || intentJson(before) !== '') continue;
          added.add(fold(decodeRecord(after).text));
        }
        if (added.size > this.#options.limit) return undefined;
      }
    } catch (error) {
      if (isUttrError(error, 'unknown-version')) return undefined;
      throw error;
    }
    return added;
  }

  /** Labelled records: at least as many as there are texts. */
  #texts(): number {
    return Object.values(this.#version.manifest.sides).reduce((sum, { records }) => sum + records, 0);
  }

  async #writeSegment(
    builder: SegmentBuilder,
    threshold: number,
    order: TrigramOrder | undefined,
  ): Promise<{ file: string; texts: number }> {
    const file = `${this.#version.manifest.dataset}-${this.#repository.ulids.next()}.trigrams`;
    await this.#repository.ensureFolder(SIMILAR);
    const texts = builder.count;
    await writeDurably(this.#repository.path(SIMILAR, file), builder.finish(threshold, order));
    return { file, texts };
  }

  /** Makes segments the index; those that it had before and has no more are removed. */
  async #record(segments: State['segments'], threshold: number, before: State | undefined): Promise<State> {
    const state: State = { uttr: 1, version: this.#version.hash, threshold, segments };
    await this.#repository.ensureFolder(SIMILAR);
    await writeDurably(this.#path, Buffer.from(JSON.stringify(state)));
    const files = new Set(segments.map(({ file }) => file));
    for (const { file } of before?.segments ?? []) {
      if (!files.has(file)) await discard(this.#repository.path(SIMILAR, file));
    }
    return state;
  }
}

/**
 * Searches the texts of a version for those like the texts of a batch.
 *
 * @param isChanged tells the groups that the batch touches: as the version has them they will not be.
 */
export type FindNeighbours = (
  texts: readonly CheckedRecord[],
  threshold: number,
  isChanged: (group: string) => boolean,
) => Promise<readonly Neighbour[] | undefined>;

/** Texts that may be indexed when a batch is added: a fraction of a second. */
const QUICK_TEXTS = 50_000;

/** Whether a search needs no more than a fraction of a second before it can begin. */
export async function isSearchQuick(repository: Repository, version: Version): Promise<boolean> {
  const options = { threshold: USUAL_THRESHOLD, limit: QUICK_TEXTS };
  return new IndexMaker(repository, version, options).isQuick();
}

/**
 * The search; of no version it finds nothing. The index is made where there is none, or none for this likeness.
 *
 * @param isQuick it answers undefined where more texts would have to be indexed than a fraction of a second allows.
 */
export function findNeighbours(
  repository: Repository,
  version: Version | undefined,
  { isQuick = false }: { readonly isQuick?: boolean } = {},
): FindNeighbours {
  return async (texts, threshold, isChanged) => {
    if (version === undefined || texts.length === 0) return [];
    // What is not here is not fetched for this.
    if (!repository.catalogue.isComplete(version.hash)) return undefined;
    const options = { threshold: Math.min(threshold, USUAL_THRESHOLD), limit: isQuick ? QUICK_TEXTS : Infinity };
    try {
      return await search(repository, version, options, (similar) => similar.neighbours(texts, threshold, isChanged));
    } catch (error) {
      // A store with damage is no reason not to take a batch; fsck tells of it.
      if (isQuick && isUttrError(error) && error.kind !== 'aborted') return undefined;
      throw error;
    }
  };
}

async function search<T>(
  repository: Repository,
  version: Version,
  options: SimilarOptions,
  ask: (similar: SimilarTexts) => Promise<T>,
): Promise<T | undefined> {
  const similar = await SimilarTexts.open(repository, version, options);
  try {
    return similar === undefined ? undefined : await ask(similar);
  } finally {
    similar?.close();
  }
}
