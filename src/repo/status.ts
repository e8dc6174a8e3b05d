/**
 * `status`: staged changes; the pointer against the local store and the remote, as far as known without asking it.
 */
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { SplitPolicy } from '../records/manifest.ts';
import { sidesByShare } from '../split/policy.ts';
import { defaultRemote } from './remotes.ts';
import { type OpenMerge, readOpenMerge } from './open-merge.ts';
import type { Repository } from './repository.ts';
import { discardStaged, readStagedState, type StagedSummary } from './staged-state.ts';
import { pointedDatasets, readPointer } from './working-copy.ts';

export interface DatasetStatus {
  readonly dataset: string;
  readonly version: string | null;
  readonly records: number | null;
  readonly sides: Readonly<Record<string, number>>;
  readonly staged: Omit<StagedSummary, 'intents'> | null;
  readonly local: 'complete' | 'partial' | 'absent';
  readonly remote: 'pushed' | 'not-pushed' | 'unknown';
  /** Whether something waits to be committed. */
  readonly changed: boolean;
  readonly merge: OpenMerge | null;
  /** What keeps the pointer from being read; null where all is well. */
  readonly problem: string | null;
}

export interface Status {
  readonly datasets: readonly DatasetStatus[];
  readonly pendingEvents: number;
}

export async function status(repository: Repository): Promise<Status> {
  const names = new Set([...Object.keys(repository.config.datasets), ...(await pointedDatasets(repository.root))]);
  const datasets: DatasetStatus[] = [];
  for (const dataset of [...names].sort()) datasets.push(await datasetStatus(repository, dataset));
  return { datasets, pendingEvents: repository.outbox.pending().length };
}

const NO_VERSION = {
  version: null,
  records: null,
  sides: {},
  local: 'absent',
  remote: 'unknown',
  problem: null,
} as const;

async function datasetStatus(repository: Repository, dataset: string): Promise<DatasetStatus> {
  const staged = readStagedState(repository, dataset)?.summary;
  const merge = (await readOpenMerge(repository, dataset)) ?? null;
  const common = { dataset, staged: staged ?? null, changed: staged !== undefined || merge !== null, merge };
  try {
    const pointer = await readPointer(repository.root, dataset);
    if (pointer === undefined) return { ...common, ...NO_VERSION };
    return {
      ...common,
      version: pointer.version,
      records: pointer.records,
      sides: inOrder(pointer.sides, repository.config.datasets[dataset]?.split),
      local: localState(repository, pointer.version),
      remote: remoteState(repository, dataset, pointer.version),
      problem: null,
    };
  } catch (error) {
    if (!(error instanceof UttrError)) throw error;
    return { ...common, ...NO_VERSION, problem: error.message };
  }
}

/** Sides as the split names them, the largest share first; a pointer has them by name. */
function inOrder(sides: Readonly<Record<string, number>>, split: SplitPolicy | undefined): Record<string, number> {
  const order = split === undefined ? [] : sidesByShare(split);
  return Object.fromEntries(Object.entries(sides).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

function localState(repository: Repository, version: Hash): DatasetStatus['local'] {
  if (repository.catalogue.isComplete(version)) return 'complete';
  return repository.catalogue.version(version) === undefined ? 'absent' : 'partial';
}

/** From what the last push, pull or fetch saw. A version of a head's history counts as pushed. */
function remoteState(repository: Repository, dataset: string, version: Hash): DatasetStatus['remote'] {
  const name = defaultRemote(repository);
  const url = name === undefined ? undefined : repository.config.remotes[name]?.url;
  if (url === undefined) return 'unknown';
  const heads = repository.catalogue.remotes.heads(url, dataset);
  if (repository.catalogue.remotes.hasVersion(url, version) || heads.some((head) => head.version === version))
    return 'pushed';
  return repository.catalogue.isComplete(version) ? 'not-pushed' : 'unknown';
}

/** Drops what is staged. @returns whether anything was */
export async function reset(repository: Repository, dataset: string): Promise<boolean> {
  repository.dataset(dataset);
  const staged = repository.catalogue.staged(dataset);
  if (staged === undefined) return false;
  repository.catalogue.transaction(() => repository.catalogue.clearStaged(dataset));
  await discardStaged(repository, staged.file);
  return true;
}
