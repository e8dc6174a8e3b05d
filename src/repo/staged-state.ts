import { UttrError } from '../base/errors.ts';
import { discard } from '../store/durable-file.ts';
import type { ManifestBatch } from '../records/manifest.ts';
import type { ChangeCounts } from './group-state.ts';
import type { Repository } from './repository.ts';
import { checksumOf } from './staged-file.ts';

/** What the catalogue keeps beside a staged file. */
export interface StagedSummary {
  /** The version it was prepared against; null for a dataset without versions. */
  readonly parent: string | null;
  readonly batches: readonly ManifestBatch[];
  readonly changes: ChangeCounts;
  /** Labels that rows of the batches brought. */
  readonly intents: readonly string[];
  /** Lines of the file: changed records and the others of their groups. */
  readonly lines: number;
  /** CRC-32 of the file. */
  readonly checksum: number;
}

export interface Staged {
  readonly path: string;
  readonly file: string;
  readonly summary: StagedSummary;
}

/** What is staged for a dataset; undefined for nothing. */
export function readStagedState(repository: Repository, dataset: string): Staged | undefined {
  const row = repository.catalogue.staged(dataset);
  if (row === undefined) return undefined;
  try {
    return {
      path: repository.path('staged', row.file),
      file: row.file,
      summary: JSON.parse(row.summary) as StagedSummary,
    };
  } catch (error) {
    throw new UttrError('catalogue-unusable', `what is staged for ${dataset} cannot be read`, {
      cause: error,
      hint: `run: uttr reset ${dataset}`,
    });
  }
}

/** Holds a staged file against its checksum before its lines are used (G2). @throws bad-checksum */
export async function checkStaged(staged: Staged): Promise<void> {
  if ((await checksumOf(staged.path)) === staged.summary.checksum) return;
  throw new UttrError('bad-checksum', `the staged file ${staged.file} has other bytes than were written`, {
    hint: 'run: uttr reset, then add the files again',
  });
}

/** Removes a staged file that nothing refers to any more. */
export async function discardStaged(repository: Repository, file: string): Promise<void> {
  await discard(repository.path('staged', file));
}

/** Datasets that have something staged. @throws nothing-staged */
export function stagedDatasets(repository: Repository): string[] {
  const datasets = repository.catalogue.allStaged().map((row) => row.dataset);
  if (datasets.length > 0) return datasets;
  throw new UttrError('nothing-staged', 'nothing is staged', { hint: 'add a batch first: uttr add <dataset> <file>' });
}
