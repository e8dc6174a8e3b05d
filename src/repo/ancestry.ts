/**
 * Questions about history: who descends from whom, where two versions part, what one has that others lack.
 *
 * A version is always younger than its parents, so walks go from the newest version down and end as soon as
 * nothing older can matter: on a fresh clone each step is a manifest read from the remote.
 */
import { throwIfAborted } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Repository } from './repository.ts';
import { history, loadVersion, type Version } from './versions.ts';

/** Whether `ancestor` is `of` or lies in its history; versions that the remote alone has are read from it. */
export async function isAncestor(repository: Repository, ancestor: Hash, of: Hash): Promise<boolean> {
  if (ancestor === of) return true;
  const { time } = (await loadVersion(repository, ancestor)).manifest;
  for await (const version of history(repository, of)) {
    if (version.hash === ancestor) return true;
    if (version.manifest.time < time) return false;
  }
  return false;
}

/**
 * The versions in the history of both that no other such version descends from, newest first: one, as a rule;
 * several after merges in both directions; none where the two share no history.
 */
export async function commonAncestors(repository: Repository, a: Hash, b: Hash): Promise<Version[]> {
  const common: Version[] = [];
  const walk = new Walk(repository);
  await walk.start(a, LEFT);
  await walk.start(b, RIGHT);
  for await (const { version, marks } of walk.run((open) => open.has(BOTH) || (open.has(LEFT) && open.has(RIGHT)))) {
    // What lies below a common version is common too, but not the nearest.
    if (marks === BOTH) {
      common.push(version);
      walk.mark(version.hash, SHARED);
    }
  }
  return common;
}

/** The versions in the history of `tip` that are in the history of none of `known`, parents first. */
export async function versionsBeyond(repository: Repository, tip: Hash, known: readonly Hash[]): Promise<Version[]> {
  const beyond: Version[] = [];
  const walk = new Walk(repository);
  await walk.start(tip, LEFT);
  for (const hash of known) await walk.start(hash, RIGHT);
  for await (const { version, marks } of walk.run((open) => open.has(LEFT))) if (marks === LEFT) beyond.push(version);
  return beyond.reverse();
}

const LEFT = 1;
const RIGHT = 2;
const BOTH = LEFT | RIGHT;
/** Below a common ancestor that was found already. */
const SHARED = 7;

/** Walks down from several versions at once, newest first, and hands the marks of each on to its parents. */
class Walk {
  readonly #repository: Repository;
  readonly #marks = new Map<Hash, number>();
  readonly #open = new Map<Hash, Version>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async start(hash: Hash, mark: number): Promise<void> {
    this.mark(hash, mark);
    if (!this.#open.has(hash)) this.#open.set(hash, await loadVersion(this.#repository, hash));
  }

  mark(hash: Hash, mark: number): void {
    this.#marks.set(hash, (this.#marks.get(hash) ?? 0) | mark);
  }

  /** Every version is given after all that descend from it; ends when no open one is of interest. */
  async *run(
    matters: (marks: ReadonlySet<number>) => boolean,
  ): AsyncIterable<{ readonly version: Version; readonly marks: number }> {
    while (matters(new Set([...this.#open.keys()].map((hash) => this.#marks.get(hash) ?? 0)))) {
      throwIfAborted(this.#repository.signal);
      const version = newest(this.#open);
      this.#open.delete(version.hash);
      yield { version, marks: this.#marks.get(version.hash) ?? 0 };
      for (const parent of version.manifest.parents) await this.start(parent, this.#marks.get(version.hash) ?? 0);
    }
  }
}

function newest(open: ReadonlyMap<Hash, Version>): Version {
  return [...open.values()].reduce((best, version) => (version.manifest.time > best.manifest.time ? version : best));
}
