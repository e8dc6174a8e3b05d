/**
 * Staging as a whole: from sorted rows to a staged file that the catalogue knows.
 */
import { link } from 'node:fs/promises';
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import type { ManifestBatch } from '../records/manifest.ts';
import { ChunkFileWriter } from '../store/chunk-file.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { EMPTY_TREE } from '../tree/build.ts';
import { TreeReader } from '../tree/reader.ts';
import { RunSorter } from '../tree/sort.ts';
import { compareGroups } from './group-order.ts';
import { BaseLookup } from './base-lookup.ts';
import { RowLines } from './batch-rows.ts';
import { labelNames } from '../records/stratum.ts';
import { UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import type { IncomingRow } from './group-state.ts';
import { removeStagedLeftovers } from './leftovers.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { FileRunStore } from './run-store.ts';
import { type RowConflict, type StagePolicy, stageRows, type StageTally } from './stage-rows.ts';
import { readStagedGroups, StagedWriter } from './staged-file.ts';
import {
  checkStaged,
  chunksBeside,
  discardStaged,
  readStagedState,
  type Staged,
  type StagedSummary,
} from './staged-state.ts';
import type { Version } from './versions.ts';

/** Chunks read while staging that are kept for the commit; what is beyond is read again. */
const KEPT_BYTES = 32 * 2 ** 20;

export interface StageJob {
  readonly dataset: string;
  readonly identity: readonly string[];
  readonly parent: Version | undefined;
  readonly policy: StagePolicy;
  /** Names the batch; false where the change has no file of its own. */
  readonly batches: () => readonly ManifestBatch[];
  readonly onConflict: (conflict: RowConflict, row: IncomingRow) => void;
  /** Hands over the rows, in any order. */
  readonly feed: (rows: RowLines) => Promise<void>;
  /** Looks at what staging would come to; true: record it, false: leave all as it was. */
  readonly decide: (tally: StageTally) => boolean;
  /** Starts from nothing instead of from what is staged already. */
  readonly fresh: boolean;
  /** Runs just before the staged file is recorded, e.g. to write a new dataset's configuration. */
  readonly beforeRecord?: () => Promise<void>;
}

/** Sorts the rows, brings them together with what is there, and records the new staged file. */
export async function stageBatch(repository: Repository, job: StageJob): Promise<StageTally> {
  const previous = readStagedState(repository, job.dataset);
  refuseOtherParent(job, previous);
  if (previous !== undefined && !job.fresh) await checkStaged(previous);
  await removeStagedLeftovers(repository);
  const runs = await FileRunStore.open(await repository.ensureFolder('staged'));
  const sorter = new RunSorter(runs);
  try {
    const rows = new RowLines(sorter, job.identity);
    await job.feed(rows);
    const file = `${job.dataset}-${repository.ulids.next()}.staged`;
    const writer = await StagedWriter.open(repository.path('staged', file));
    try {
      const keep = previous !== undefined && !job.fresh;
      const tally = await keepingChunks(repository, keep ? previous : undefined, file, () =>
        stageRows({
          sorted: untilAborted(sorter.finish(), repository.signal),
          staged: keep ? readStagedGroups(previous.path, job.identity) : undefined,
          allFolds: job.policy.replace ? allFolds(repository.chunks, job.parent) : undefined,
          base: new BaseLookup(repository.chunks, job.parent?.manifest),
          policy: job.policy,
          writer,
          onConflict: job.onConflict,
        }),
      );
      if (!job.decide(tally)) {
        await writer.abort();
        await discardStaged(repository, file);
        return tally;
      }
      await writer.publish();
      crashPoint('staged.written');
      await job.beforeRecord?.();
      const summary: StagedSummary = {
        parent: job.parent?.hash ?? null,
        batches: [...(keep ? previous.summary.batches : []), ...job.batches()],
        changes: tally.staged,
        intents: [
          ...new Set([...(keep ? previous.summary.intents : []), ...[...rows.intents].flatMap(labelNames)]),
        ].sort(),
        lines: writer.lines,
        checksum: writer.checksum,
      };
      await record(repository, job.dataset, previous, file, summary);
      return tally;
    } catch (error) {
      await writer.abort();
      // It may have its name already, but nothing refers to it.
      await discardStaged(repository, file);
      throw explained(repository, job.dataset, previous, error);
    }
  } finally {
    await sorter.close();
    await runs.close();
  }
}

/** Does work that reads chunks, and keeps them for the commit together with those of what was staged before. */
async function keepingChunks<T>(
  repository: Repository,
  previous: Staged | undefined,
  file: string,
  work: () => Promise<T>,
): Promise<T> {
  const path = chunksBeside(repository.path('staged', file));
  if (previous !== undefined) await link(chunksBeside(previous.path), path).catch(() => undefined);
  const kept = new ChunkFileWriter(path, KEPT_BYTES);
  repository.localChunks.watch((chunks) => {
    kept.add(chunks);
  });
  try {
    return await work();
  } finally {
    repository.localChunks.watch(undefined);
    kept.close();
  }
}

/** Passes a stream on until the command is interrupted. */
async function* untilAborted<T>(stream: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> {
  for await (const item of stream) {
    throwIfAborted(signal);
    yield item;
  }
}

/** What was staged before may have been taken away while it was read. */
function explained(repository: Repository, dataset: string, previous: Staged | undefined, error: unknown): unknown {
  const isOvertaken = repository.catalogue.staged(dataset)?.file !== previous?.file;
  return isOvertaken && isUttrError(error, 'io-failed') ? overtaken(dataset, error) : error;
}

function overtaken(dataset: string, cause?: unknown): UttrError {
  return new UttrError('head-moved', `another command staged or committed ${dataset} meanwhile`, {
    cause,
    hint: 'run the command again',
  });
}

/** Puts the new staged file in the place of the old one, unless another command was faster. */
async function record(
  repository: Repository,
  dataset: string,
  previous: Staged | undefined,
  file: string,
  summary: StagedSummary,
): Promise<void> {
  const { catalogue } = repository;
  catalogue.transaction(() => {
    if (catalogue.staged(dataset)?.file !== previous?.file) {
      throw overtaken(dataset);
    }
    if (summary.lines === 0) catalogue.clearStaged(dataset);
    else catalogue.setStaged({ dataset, file, summary: JSON.stringify(summary) });
  });
  crashPoint('staged.recorded');
  const gone = summary.lines === 0 ? [file, previous?.file] : [previous?.file];
  for (const name of gone) if (name !== undefined) await discardStaged(repository, name);
}

function refuseOtherParent(job: StageJob, previous: Staged | undefined): void {
  if (previous === undefined || job.fresh || previous.summary.parent === (job.parent?.hash ?? null)) return;
  throw new UttrError('head-moved', `what is staged for ${job.dataset} was prepared for another version`, {
    hint: `commit it first (uttr commit ${job.dataset}) or drop it (uttr reset ${job.dataset})`,
  });
}

/** Folded texts of every group of a version, ascending, each once. */
async function* allFolds(chunks: ChunkSource, version: Version | undefined): AsyncIterable<readonly string[]> {
  if (version === undefined) return;
  const places = [...Object.keys(version.manifest.sides), UNLABELLED];
  const streams = places.map((place) => foldsOf(chunks, version, place));
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  let batch: string[] = [];
  for (;;) {
    let least: Buffer | undefined;
    for (const head of heads) {
      if (head.done !== true && (least === undefined || compareGroups(head.value, least) < 0)) least = head.value;
    }
    if (least === undefined) break;
    batch.push(least.toString('utf8'));
    for (const [index, head] of heads.entries()) {
      if (head.done !== true && head.value.equals(least)) {
        heads[index] = await (streams[index] as AsyncGenerator<Buffer>).next();
      }
    }
    if (batch.length >= 4096) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function* foldsOf(chunks: ChunkSource, version: Version, place: string): AsyncGenerator<Buffer> {
  const tree = treeOf(version.manifest, place);
  if (tree.root === EMPTY_TREE.root) return;
  let last: Buffer | undefined;
  for await (const entries of new TreeReader(chunks, tree).scan({})) {
    for (const { key } of entries) {
      const fold = key.subarray(0, key.indexOf(9));
      if (last === undefined || !fold.equals(last)) yield fold;
      last = fold;
    }
  }
}
