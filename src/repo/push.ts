/**
 * Push: what the remote lacks, then the head, then the log.
 *
 * Packs first (each checked on arrival), the head by compare-and-swap last: a remote never names what it does not
 * hold. An interrupted push goes on where it was: packs that arrived are remembered, and a move of the head that
 * was not announced yet is announced by the next push.
 */
import type { EventRow } from '../base/event-rows.ts';
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Manifest } from '../records/manifest.ts';
import type { RemoteChunks } from '../store/remote-chunks.ts';
import { isAncestor, versionsBeyond } from './ancestry.ts';
import { append, changeEvent, isAnnounced, sinkNames } from './change-event.ts';
import { changeTotals } from './change-totals.ts';
import { type Checkpoint, checkpointAfter, checkpointOfWhole, isHeavy, joinCheckpoints } from './checkpoint.ts';
import {
  moveHead,
  nextHead,
  readHead,
  readHeads,
  readLog,
  readTags,
  type RemoteHead,
  type TaggedHead,
  writeLog,
  writeTag,
} from './remote-heads.ts';
import { sinksWithCursor } from './remote-cursors.ts';
import { noticeStepBack } from './remote-memory.ts';
import { openRemote, type OpenRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { sendVersions, sendWhole } from './send-versions.ts';
import { TransferCount } from './transfer-count.ts';
import { headVersion, loadVersion, type Version } from './versions.ts';

export interface TransferSummary {
  readonly remote: string;
  readonly packs: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly versions: number;
  readonly datasets: readonly DatasetTransfer[];
}

export interface DatasetTransfer {
  readonly dataset: string;
  readonly branch: string;
  readonly version: string;
  readonly moved: boolean;
  readonly versions: number;
  /** Why the head did not move, as a sentence. */
  readonly note?: string;
  /** What was not sent. */
  readonly warnings: readonly string[];
}

/** Sends the versions of the given datasets and moves their heads. @throws head-moved, unknown-remote, … */
export async function push(
  repository: Repository,
  remoteName: string | undefined,
  datasets: readonly string[],
): Promise<TransferSummary> {
  const remote = await openRemote(repository, requireRemote(repository, remoteName), 'write');
  const chunks = await repository.lazy.use(remote);
  const branch = await repository.branch();
  const count = new TransferCount();
  const done: DatasetTransfer[] = [];
  for (const dataset of datasets) {
    const result = await new DatasetPush(repository, remote, chunks, dataset, branch).run(count);
    if (result !== undefined) done.push(result);
  }
  const versions = done.reduce((sum, item) => sum + item.versions, 0);
  const { packs, blocks, bytes } = count;
  return { remote: remote.name, packs, blocks, bytes, versions, datasets: done };
}

/** An event, and the sinks that are to hear of it from here. */
interface OwedEvent {
  readonly row: EventRow;
  readonly sinks: readonly string[];
}

class DatasetPush {
  readonly #repository: Repository;
  readonly #remote: OpenRemote;
  readonly #chunks: RemoteChunks;
  readonly #dataset: string;
  readonly #branch: string;

  constructor(repository: Repository, remote: OpenRemote, chunks: RemoteChunks, dataset: string, branch: string) {
    this.#repository = repository;
    this.#remote = remote;
    this.#chunks = chunks;
    this.#dataset = dataset;
    this.#branch = branch;
  }

  async run(count: TransferCount): Promise<DatasetTransfer | undefined> {
    const { store } = this.#remote;
    const options = { signal: this.#repository.signal };
    const there = await readHead(store, this.#dataset, this.#branch, options);
    noticeStepBack(this.#repository, this.#remote, this.#dataset, this.#branch, there?.head);
    await this.#announceInterrupted(there);
    const version = await headVersion(this.#repository, this.#dataset);
    if (version === undefined) return undefined;
    const outcome = { dataset: this.#dataset, branch: this.#branch, version: version.hash };
    if ((await this.#direction(version, there)) === 'behind') {
      const note = `${this.#remote.name} is ahead of this version already`;
      return { ...outcome, moved: false, versions: 0, note, warnings: [] };
    }
    const held = await this.#heldHeads();
    const missing = await versionsBeyond(
      this.#repository,
      version.hash,
      held.map((head) => head.version),
    );
    const moved = there?.head.version !== version.hash;
    let checkpoint = await this.#send(version, missing, held, count);
    if (moved && checkpoint !== undefined) checkpoint = await this.#lighten(version, checkpoint, count);
    crashPoint('push.packs-sent');
    if (there !== undefined) await writeLog(store, there.head, options);
    if (moved) await this.#move(there, version, checkpoint);
    else this.#remember(there.head, undefined);
    const warnings = await this.#pushTags();
    crashPoint('push.recorded');
    return { ...outcome, moved, versions: missing.length, warnings };
  }

  /** Whether the head would move forward. @throws head-moved when our version does not descend from it */
  async #direction(version: Version, there: TaggedHead | undefined): Promise<'forward' | 'behind'> {
    if (there === undefined || there.head.version === version.hash) return 'forward';
    const theirs = there.head.version;
    try {
      if (await isAncestor(this.#repository, theirs, version.hash)) return 'forward';
      if (await isAncestor(this.#repository, version.hash, theirs)) return 'behind';
    } catch (error) {
      if (!isUttrError(error, 'unknown-version')) throw error;
      throw new UttrError(
        'wrong-answer',
        `${this.#remote.name} names version ${theirs.slice(0, 12)} of ${this.#dataset} but does not hold it`,
        { cause: error, hint: 'look at it with: uttr fsck --remote; restore it, or push from a copy that has it' },
      );
    }
    throw notFirst(version.manifest, this.#branch);
  }

  /** Heads of this dataset, of any branch, as far as the remote really has the versions they name. */
  async #heldHeads(): Promise<RemoteHead[]> {
    const held: RemoteHead[] = [];
    for (const head of await readHeads(this.#remote.store, this.#dataset, { signal: this.#repository.signal })) {
      if ((await this.#chunks.depthOf(head.version)) !== undefined) held.push(head);
    }
    return held;
  }

  /** Sends what is missing. @returns the checkpoint of the version after that */
  async #send(
    version: Version,
    missing: readonly Version[],
    held: readonly RemoteHead[],
    count: TransferCount,
  ): Promise<Checkpoint | undefined> {
    const repository = this.#repository;
    const parents = missing.length === 0 ? [version.hash] : missing.flatMap(({ manifest }) => manifest.parents);
    const before = joinCheckpoints(held.filter((head) => parents.includes(head.version)));
    // What the version needs must not lie before its checkpoint.
    this.#chunks.beginWith((pack) => before === undefined || pack >= before.first);
    const sent = new TransferCount();
    const heldVersions = held.map((head) => head.version);
    await sendVersions(repository, this.#remote, this.#chunks, missing, heldVersions, sent);
    count.addAll(sent);
    return checkpointAfter(before, missing, sent);
  }

  /** Sends all of a version once more where fetching it would take too much. @returns its checkpoint after that */
  async #lighten(version: Version, checkpoint: Checkpoint, count: TransferCount): Promise<Checkpoint | undefined> {
    const { catalogue, progress } = this.#repository;
    // Where a part of it is not here, somebody who has all will send it.
    if (!isHeavy(checkpoint, version) || !catalogue.isComplete(version.hash)) return checkpoint;
    const sent = new TransferCount();
    await sendWhole(this.#repository, this.#remote, version, sent);
    progress.note(`sent all of ${this.#dataset} once more: so it stays quick to fetch, long as its history is`);
    count.addAll(sent);
    return checkpointOfWhole(version, sent);
  }

  async #move(there: TaggedHead | undefined, version: Version, checkpoint: Checkpoint | undefined): Promise<void> {
    const { catalogue, clock, random, signal } = this.#repository;
    const { store, url } = this.#remote;
    const head = await nextHead(
      store,
      there?.head,
      {
        dataset: this.#dataset,
        branch: this.#branch,
        version: version.hash,
        time: clock.now().toISOString(),
        author: version.manifest.author,
        ...(checkpoint === undefined ? {} : { checkpoint }),
      },
      random,
      { signal },
    );
    // Before the head moves, so that nothing but writing it down is left to do afterwards.
    const event = await this.#event(head);
    catalogue.transaction(() => catalogue.remotes.setHeadMove(url, head));
    try {
      await moveHead(store, there, head, { signal });
    } catch (error) {
      if (isUttrError(error, 'head-moved')) throw notFirst(version.manifest, this.#branch, error);
      throw error;
    }
    crashPoint('push.head-moved');
    await writeLog(store, head, { signal });
    crashPoint('push.log-written');
    this.#remember(head, event);
  }

  /** A push that ended between the head's move and its event: the event is made now (E3). */
  async #announceInterrupted(there: TaggedHead | undefined): Promise<void> {
    const { catalogue, signal } = this.#repository;
    const { store, url } = this.#remote;
    const move = catalogue.remotes.headMove(url, this.#dataset, this.#branch);
    if (move === undefined) return;
    const head =
      there !== undefined && there.head.sequence > move.sequence
        ? await readLog(store, this.#dataset, this.#branch, move.sequence, { signal })
        : there?.head;
    const event = head?.txid === move.txid ? await this.#event(head) : undefined;
    catalogue.transaction(() => {
      if (event !== undefined) append(this.#repository, event.row, event.sinks);
      catalogue.remotes.clearHeadMove(url, this.#dataset, this.#branch);
    });
  }

  /** The event of a head's move; undefined where the branch's moves are no events. */
  async #event(head: RemoteHead): Promise<OwedEvent | undefined> {
    if (!isAnnounced(this.#repository, head.branch)) return undefined;
    const version = await loadVersion(this.#repository, head.version);
    const previous = head.previous === null ? undefined : await loadVersion(this.#repository, head.previous);
    const row = changeEvent(this.#repository, {
      version,
      previous,
      totals: await changeTotals(this.#repository, previous, version),
      branch: head.branch,
      remote: { name: this.#remote.name, url: this.#remote.url },
      gitCommit: await this.#repository.git.head(),
    });
    const others = await sinksWithCursor(this.#repository, this.#remote.store, head);
    return { row, sinks: sinkNames(this.#repository).filter((sink) => !others.includes(sink)) };
  }

  /** One transaction: what we know of the remote now, and the event. */
  #remember(head: RemoteHead, event: OwedEvent | undefined): void {
    const { catalogue } = this.#repository;
    const { url } = this.#remote;
    catalogue.transaction(() => {
      catalogue.remotes.setHead(url, head);
      catalogue.remotes.addVersion(url, head.version);
      catalogue.remotes.clearSentPacks(url);
      catalogue.remotes.clearHeadMove(url, this.#dataset, this.#branch);
      if (event !== undefined) append(this.#repository, event.row, event.sinks);
    });
  }

  /** Sends the tags whose versions the remote has. @returns what could not be sent, as sentences */
  async #pushTags(): Promise<string[]> {
    const { catalogue, signal } = this.#repository;
    const { store } = this.#remote;
    const tags = catalogue.tags(this.#dataset);
    if (tags.length === 0) return [];
    const there = await readTags(store, this.#dataset, { signal });
    const notes: string[] = [];
    for (const { name, version } of tags) {
      if (there.get(name) === version) continue;
      if (there.has(name)) {
        notes.push(
          `tag "${name}" names another version on ${this.#remote.name} and was not sent; ` +
            `take theirs: uttr tag --delete ${name} ${this.#dataset}, then uttr fetch`,
        );
      } else if (await this.#isPushed(version)) await writeTag(store, this.#dataset, name, version, { signal });
    }
    return notes;
  }

  async #isPushed(version: Hash): Promise<boolean> {
    const { catalogue } = this.#repository;
    if (catalogue.remotes.hasVersion(this.#remote.url, version)) return true;
    for (const head of catalogue.remotes.heads(this.#remote.url, this.#dataset)) {
      if (await isAncestor(this.#repository, version, head.version)) return true;
    }
    return false;
  }
}

function notFirst(manifest: Manifest, branch: string, cause?: unknown): UttrError {
  return new UttrError(
    'head-moved',
    `somebody else was first: ${manifest.dataset} on branch ${branch} has versions that yours do not build on`,
    {
      cause,
      hint: 'git pull (or uttr pull), then push again',
      details: { dataset: manifest.dataset, branch },
    },
  );
}
