/**
 * Staging as a whole: from sorted rows to a staged file that the catalogue knows.
 */
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import type { ManifestBatch } from '../records/manifest.ts';
import { RunSorter } from '../tree/sort.ts';
import { allFolds } from './folds.ts';
import { BaseLookup } from './base-lookup.ts';
import { RowLines } from './batch-rows.ts';
import { labelNames } from '../records/stratum.ts';
import { GroupFilter } from './group-filter.ts';
import type { IncomingRow } from './group-state.ts';
import { removeStagedLeftovers } from './leftovers.ts';
import type { Repository } from './repository.ts';
import { FileRunStore } from './run-store.ts';
import { restage } from './restage.ts';
import { type RowConflict, type RowWatcher, type StagePolicy, stageRows, type StageTally } from './stage-rows.ts';
import { readStagedGroups, StagedWriter } from './staged-file.ts';
import { checkStaged, discardStaged, readStagedState, type Staged, type StagedSummary } from './staged-state.ts';
import type { Version } from './versions.ts';

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
  readonly watcher?: RowWatcher | undefined;
  /** Looks at the staged file, also where it will not be recorded. */
  readonly inspect?: ((path: string, lines: number, tally: StageTally) => Promise<void>) | undefined;
  /** Runs just before the staged file is recorded, e.g. to write a new dataset's configuration. */
  readonly beforeRecord?: () => Promise<void>;
}

/** Sorts the rows, brings them together with what is there, and records the new staged file. */
export async function stageBatch(repository: Repository, job: StageJob): Promise<StageTally> {
  const previous = await stagedBefore(repository, job);
  await removeStagedLeftovers(repository);
  const runs = new FileRunStore(await repository.ensureFolder('staged'));
  const sorter = new RunSorter(runs);
  try {
    const rows = new RowLines(sorter, job.identity);
    await job.feed(rows);
    const file = `${job.dataset}-${repository.ulids.next()}.staged`;
    const { tally, summary } = await writeStaged(repository, job, previous, file, sorter, rows);
    if (summary !== undefined) await record(repository, job.dataset, previous, file, summary);
    return tally;
  } catch (error) {
    throw explained(repository, job.dataset, previous, error);
  } finally {
    await sorter.close();
    await runs.close();
  }
}

/** Writes the staged file; where it fails, or nothing is to be staged, there is none. */
async function writeStaged(
  repository: Repository,
  job: StageJob,
  previous: Staged | undefined,
  file: string,
  sorter: RunSorter,
  rows: RowLines,
): Promise<{ readonly tally: StageTally; readonly summary?: StagedSummary }> {
  const writer = await StagedWriter.open(repository.path('staged', file));
  try {
    const kept = job.fresh ? undefined : previous;
    const tally = await withBase(repository, job.parent, (base) =>
      stageRows({
        base,
        sorted: untilAborted(sorter.finish(), repository.signal),
        staged: kept === undefined ? undefined : readStagedGroups(kept.path, job.identity),
        allFolds: job.policy.replace ? allFolds(repository.chunks, job.parent?.manifest) : undefined,
        policy: job.policy,
        writer,
        onConflict: job.onConflict,
        watcher: job.watcher,
      }),
    );
    const isRecorded = job.decide(tally);
    if (!isRecorded && job.inspect === undefined) {
      await writer.abort();
      return { tally };
    }
    await writer.publish();
    crashPoint('staged.written');
    await job.inspect?.(repository.path('staged', file), writer.lines, tally);
    if (!isRecorded) {
      await discardStaged(repository, file);
      return { tally };
    }
    await job.beforeRecord?.();
    const intents = new Set([...(kept?.summary.intents ?? []), ...[...rows.intents].flatMap(labelNames)]);
    const summary: StagedSummary = {
      parent: job.parent?.hash ?? null,
      batches: [...(kept?.summary.batches ?? []), ...job.batches()],
      changes: tally.staged,
      intents: [...intents].sort(),
      lines: writer.lines,
      checksum: writer.checksum,
    };
    return { tally, summary };
  } catch (error) {
    await writer.abort();
    // It may have its name already, but nothing refers to it.
    await discardStaged(repository, file);
    throw error;
  }
}

/** Does work with the groups of a version at hand. */
async function withBase<T>(
  repository: Repository,
  parent: Version | undefined,
  work: (base: BaseLookup) => Promise<T>,
): Promise<T> {
  const filter = await GroupFilter.open(repository, parent);
  try {
    return await work(new BaseLookup(repository.chunks, parent?.manifest, filter));
  } finally {
    filter?.close();
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

/**
 * Puts the new staged file in the place of the old one, unless another command was faster. Where the transaction fails
 * for any other reason, the file stays: a disk that fails while SQLite commits may yet show the commit to the next command.
 */
async function record(
  repository: Repository,
  dataset: string,
  previous: Staged | undefined,
  file: string,
  summary: StagedSummary,
): Promise<void> {
  const { catalogue } = repository;
  const isFirst = catalogue.transaction(() => {
    if (catalogue.staged(dataset)?.file !== previous?.file) return false;
    if (summary.lines === 0) catalogue.clearStaged(dataset);
    else catalogue.setStaged({ dataset, file, summary: JSON.stringify(summary) });
    return true;
  });
  if (!isFirst) {
    await discardStaged(repository, file);
    throw overtaken(dataset);
  }
  crashPoint('staged.recorded');
  const gone = summary.lines === 0 ? [file, previous?.file] : [previous?.file];
  for (const name of gone) if (name !== undefined) await discardStaged(repository, name);
}

/** What is staged already, prepared for the version that the batch comes onto: git may have moved the pointer. */
async function stagedBefore(repository: Repository, job: StageJob): Promise<Staged | undefined> {
  const staged = readStagedState(repository, job.dataset);
  if (staged === undefined || job.fresh) return staged;
  await checkStaged(staged);
  if (staged.summary.parent === (job.parent?.hash ?? null)) return staged;
  return restage(repository, job.dataset, staged, job.parent);
}
