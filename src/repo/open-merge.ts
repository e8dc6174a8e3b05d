/**
 * The merge of a dataset that waits for a person's decision, as the catalogue remembers it.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Repository } from './repository.ts';
import { pointerPath, readPointer } from './working-copy.ts';

/** A merge that waits for a decision. */
export interface OpenMerge {
  readonly dataset: string;
  /** The common versions: one as a rule, none where the branches share no history. */
  readonly bases: readonly Hash[];
  readonly ours: Hash;
  readonly theirs: Hash;
  /** Whether git began it: then git wants to be told when it is settled. */
  readonly git: boolean;
  readonly conflicts: readonly ShownConflict[];
}

/** A conflict as people see it. */
export interface ShownConflict {
  readonly text: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/**
 * The merge of a dataset that waits for a decision. One that git has ended meanwhile (`git merge --abort`, another
 * file checked out, a conflict settled by hand) waits no longer and is forgotten.
 */
export async function readOpenMerge(repository: Repository, dataset: string): Promise<OpenMerge | undefined> {
  const state = repository.catalogue.merge(dataset);
  if (state === undefined) return undefined;
  const open = JSON.parse(state) as OpenMerge;
  if (await stillWaits(repository, open)) return open;
  repository.catalogue.transaction(() => {
    if (repository.catalogue.merge(dataset) === state) repository.catalogue.clearMerge(dataset);
  });
  repository.progress.note(`the merge of ${dataset} that waited for a decision was ended in git; it is forgotten`);
  return undefined;
}

async function stillWaits(repository: Repository, open: OpenMerge): Promise<boolean> {
  const pointer = await readPointer(repository.root, open.dataset).catch((error: unknown) => {
    // Both pointers between markers.
    if (isUttrError(error, 'bad-pointer')) return 'unreadable' as const;
    throw error;
  });
  if (!open.git) return pointer !== 'unreadable' && pointer?.version === open.ours;
  if (pointer === 'unreadable') return true;
  // During a rebase there is no MERGE_HEAD: only the index says what is unmerged.
  return (await repository.git.unmerged(`./${pointerPath(open.dataset)}`)) && pointer?.version === open.ours;
}

/** @throws merge-conflict when a merge of the dataset waits for a decision */
export async function refuseOpenMerge(repository: Repository, dataset: string): Promise<void> {
  if ((await readOpenMerge(repository, dataset)) === undefined) return;
  throw new UttrError('merge-conflict', `a merge of ${dataset} waits for a decision`, {
    hint: `settle it first: uttr merge ${dataset} --ours, --theirs or --edit; or drop it: uttr merge ${dataset} --abort`,
  });
}
