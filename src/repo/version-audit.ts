/**
 * Checks of what a version says about its data, beyond the hashes: a program that wrote it wrongly would have given
 * it right hashes, too.
 *
 * V1  No group is on two sides, and none that is retired is on a side (S1).
 * V2  Groups, strata and labels are counted in the manifest as the records have them.
 * V3  A group keeps its side from the parent on, retired or not, unless a merge has moved it, and no more groups
 *     have moved than the manifest says.
 * V4  The list of changes and their numbers are the difference to the first parent.
 *
 * A version whose parent was checked is checked by what differs from it, so that a long history costs what changed
 * in it, and not its length times the size of the data.
 */
import type { Hash } from '../base/hash.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { type Manifest, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { amongNodes, type ChunkSource } from '../store/chunks.ts';
import { diffTrees } from '../tree/diff.ts';
import { TreeReader } from '../tree/reader.ts';
import { TreeVerifier } from '../tree/verify.ts';
import { BatchCursor } from './batch-cursor.ts';
import { findChanges } from './change-audit.ts';
import { noChanges } from './group-state.ts';
import type { ProblemList } from './problem-list.ts';
import { treeOf } from './record-changes.ts';
import { treesOf } from './send-versions.ts';
import { groupsOf, retiredSide, VersionCounts } from './version-counts.ts';
import type { Version } from './versions.ts';

/** Groups looked up together. */
const WINDOW_GROUPS = 512;

const TAB = Buffer.from('\t');

/** A group as a version has it: its first record on each side it is on, and the side it is retired from. */
interface Group {
  readonly on: readonly { readonly side: string; readonly first: Buffer }[];
  readonly retired: string | undefined;
}

export class VersionAudit {
  readonly #chunks: ChunkSource;
  readonly #problems: ProblemList;
  readonly #verifier: TreeVerifier;
  /** Versions whose manifests were found to be right. */
  readonly #sound = new Set<Hash>();

  constructor(chunks: ChunkSource, problems: ProblemList) {
    this.#chunks = chunks;
    this.#problems = problems;
    this.#verifier = new TreeVerifier(chunks);
  }

  /** @param parent the first parent, if all its data is at hand */
  async check(version: Version, parent: Version | undefined): Promise<void> {
    const { hash, manifest } = version;
    const where = `${manifest.dataset}@${hash.slice(0, 12)}`;
    const before = this.#problems.count;
    try {
      for (const tree of treesOf(manifest)) {
        for (const { message } of await this.#verifier.verify(tree)) this.#problems.say('bad-chunk', message, where);
      }
      if (this.#problems.count > before) return;
      const touched = await this.#checkChanges(manifest, parent, where);
      const base = parent !== undefined && this.#sound.has(parent.hash) ? parent.manifest : undefined;
      if (base === undefined || touched === undefined) await this.#countAll(manifest, where);
      else await this.#countTouched(manifest, base, touched, where);
    } catch (error) {
      this.#problems.add(error, where);
    }
    if (this.#problems.count === before) this.#sound.add(hash);
  }

  /** V4. @returns the groups that differ, ascending; undefined where they are too many, or there is no parent */
  async #checkChanges(manifest: Manifest, parent: Version | undefined, where: string): Promise<Buffer[] | undefined> {
    const { list: _, ...says } = manifest.changes;
    if (parent === undefined) {
      const added = [...Object.values(manifest.sides), manifest.unlabelled].reduce(
        (sum, { records }) => sum + records,
        0,
      );
      if (manifest.parents.length === 0) this.#compareCounts({ ...noChanges(), added }, says, where);
      return undefined;
    }
    const { counts, isListed, touched } = await findChanges(this.#chunks, parent.manifest, manifest);
    if (!isListed) {
      this.#problems.say('bad-manifest', 'its list of changes is not the difference to its parent', where);
    }
    this.#compareCounts(counts, says, where);
    return touched === undefined ? undefined : this.#withRetired(touched, parent.manifest, manifest);
  }

  #compareCounts(counts: ReturnType<typeof noChanges>, says: ReturnType<typeof noChanges>, where: string): void {
    if (canonicalJson({ ...counts }) === canonicalJson({ ...says })) return;
    this.#problems.say(
      'bad-manifest',
      'the changes that its manifest counts are not the difference to its parent',
      where,
    );
  }

  /** Adds the groups that were retired or came back. */
  async #withRetired(touched: Buffer[], from: Manifest, to: Manifest): Promise<Buffer[]> {
    const retired: Buffer[] = [];
    for await (const batch of diffTrees(amongNodes(this.#chunks), from.retired, to.retired)) {
      for (const { key } of batch) retired.push(Buffer.concat([key, TAB]));
    }
    if (retired.length === 0) return touched;
    const all = [...touched, ...retired].sort((a, b) => Buffer.compare(a, b));
    return all.filter((prefix, index) => index === 0 || !prefix.equals(all[index - 1] as Buffer));
  }

  /** V1 and V2, from every record. */
  async #countAll(manifest: Manifest, where: string): Promise<void> {
    const counts = new VersionCounts(manifest, undefined);
    const sides = Object.keys(manifest.sides);
    const cursors = sides.map((side) => {
      const count = groupsOf(this.#chunks, manifest, side, ({ value }, isFirst) => {
        const record = counts.addRecord(side, value, 1);
        if (isFirst) counts.addGroup(side, record, 1);
      });
      return new BatchCursor(count);
    });
    await this.#checkApart(cursors, sides, where);
    await this.#checkRetired(manifest, where);
    const unlabelled = groupsOf(this.#chunks, manifest, UNLABELLED, ({ value }) =>
      counts.addRecord(UNLABELLED, value, 1),
    );
    for await (const _ of unlabelled);
    for (const difference of counts.differences(manifest)) this.#problems.say('bad-manifest', difference, where);
  }

  /** V1: no group is on two sides. */
  async #checkApart(cursors: readonly BatchCursor<Buffer>[], sides: readonly string[], where: string): Promise<void> {
    for (;;) {
      for (const cursor of cursors) if (cursor.needsFill) await cursor.fill();
      let least: Buffer | undefined;
      for (const { head } of cursors) {
        if (head !== undefined && (least === undefined || Buffer.compare(head, least) < 0)) least = head;
      }
      if (least === undefined) return;
      const on: string[] = [];
      for (const [index, cursor] of cursors.entries()) {
        if (cursor.head?.equals(least) !== true) continue;
        cursor.advance();
        on.push(sides[index] as string);
      }
      if (on.length > 1) this.#sayApart(least, on, where);
    }
  }

  /** V1: no group that is retired is on a side. */
  async #checkRetired(manifest: Manifest, where: string): Promise<void> {
    if (manifest.retired.root === null) return;
    for await (const entries of new TreeReader(amongNodes(this.#chunks), manifest.retired).scan()) {
      const prefixes = entries.map(({ key }) => Buffer.concat([key, TAB])).sort((a, b) => Buffer.compare(a, b));
      for (const [index, { on }] of (await this.#groups(manifest, prefixes)).entries()) {
        const places = [...on.map(({ side }) => side), 'retired'];
        if (places.length > 1) this.#sayApart(prefixes[index] as Buffer, places, where);
      }
    }
  }

  #sayApart(prefix: Buffer, places: readonly string[], where: string): void {
    const text = prefix.toString('utf8').trimEnd().slice(0, 80);
    this.#problems.say('bad-manifest', `the group "${text}" is on ${places.join(' and on ')}`, where);
  }

  /** V1, V2 and V3, from the groups that differ from a parent that was found to be right. */
  async #countTouched(manifest: Manifest, base: Manifest, touched: readonly Buffer[], where: string): Promise<void> {
    const counts = new VersionCounts(manifest, base);
    for (const place of [...Object.keys(manifest.sides), UNLABELLED]) {
      for await (const batch of diffTrees(this.#chunks, treeOf(base, place), treeOf(manifest, place))) {
        for (const { before, after } of batch) {
          if (before !== undefined) counts.addRecord(place, before, -1);
          if (after !== undefined) counts.addRecord(place, after, 1);
        }
      }
    }
    const moved = await this.#moveGroups(counts, manifest, base, touched, where);
    if (moved > manifest.crossed) {
      const what = `${moved} groups have another side than in its parent, its manifest says ${manifest.crossed}`;
      this.#problems.say('bad-manifest', what, where);
    }
    for (const difference of counts.differences(manifest)) this.#problems.say('bad-manifest', difference, where);
  }

  /** Moves the groups that differ from where they were counted to where they are. @returns how many have moved (V3) */
  async #moveGroups(
    counts: VersionCounts,
    manifest: Manifest,
    base: Manifest,
    touched: readonly Buffer[],
    where: string,
  ): Promise<number> {
    let moved = 0;
    for (let at = 0; at < touched.length; at += WINDOW_GROUPS) {
      const prefixes = touched.slice(at, at + WINDOW_GROUPS);
      const [was, is] = [await this.#groups(base, prefixes), await this.#groups(manifest, prefixes)];
      for (const [index, prefix] of prefixes.entries()) {
        const [before, after] = [was[index] as Group, is[index] as Group];
        for (const { side, first } of before.on) counts.addGroup(side, decodeRecord(first), -1);
        for (const { side, first } of after.on) counts.addGroup(side, decodeRecord(first), 1);
        const places = [...after.on.map(({ side }) => side), ...(after.retired === undefined ? [] : ['retired'])];
        if (places.length > 1) this.#sayApart(prefix, places, where);
        const [from, to] = [before, after].map(({ on, retired }) => on[0]?.side ?? retired);
        if (from !== undefined && to !== from) moved++;
      }
    }
    return moved;
  }

  /** The groups with these prefixes, which ascend. */
  async #groups(manifest: Manifest, prefixes: readonly Buffer[]): Promise<Group[]> {
    const sides = Object.keys(manifest.sides);
    const found = await Promise.all(
      sides.map((side) => new TreeReader(this.#chunks, treeOf(manifest, side)).prefixes(prefixes)),
    );
    const folds = prefixes.map((prefix) => prefix.subarray(0, -1)).sort((a, b) => Buffer.compare(a, b));
    const values = await new TreeReader(amongNodes(this.#chunks), manifest.retired).getMany(folds);
    const retired = new Map<string, string>();
    for (const [index, value] of values.entries()) {
      const fold = (folds[index] as Buffer).toString('utf8');
      if (value !== undefined) retired.set(fold, retiredSide(manifest, value));
    }
    return prefixes.map((prefix, index) => ({
      on: sides.flatMap((side, number) => {
        const first = found[number]?.[index]?.[0];
        return first === undefined ? [] : [{ side, first: first.value }];
      }),
      retired: retired.get(prefix.toString('utf8', 0, prefix.length - 1)),
    }));
  }
}
