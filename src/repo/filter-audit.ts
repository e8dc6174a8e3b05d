/**
 * Holds the filters of groups against the versions that are checked out: a group that a filter does not know would be
 * taken for new, and might come to a second side.
 */
import { isUttrError } from '../base/errors.ts';
import { eachFold } from './folds.ts';
import { GroupFilter } from './group-filter.ts';
import type { ProblemList } from './problem-list.ts';
import type { Repository } from './repository.ts';
import { headVersion } from './versions.ts';
import { pointedDatasets } from './working-copy.ts';

/** A filter that lacks a group is dropped; the next commit makes another. */
export async function auditFilters(repository: Repository, problems: ProblemList): Promise<void> {
  for (const dataset of await pointedDatasets(repository.root)) {
    try {
      await auditFilter(repository, dataset, problems);
    } catch (error) {
      // What is wrong with a version is told by its own check.
      if (!isUttrError(error)) throw error;
    }
  }
}

async function auditFilter(repository: Repository, dataset: string, problems: ProblemList): Promise<void> {
  const { catalogue } = repository;
  const version = await headVersion(repository, dataset);
  if (version === undefined || !catalogue.isComplete(version.hash)) return;
  const filter = await GroupFilter.open(repository, version);
  if (filter === undefined) return;
  let missing = 0;
  try {
    await eachFold(repository.localOnly, version.manifest, (bytes, start, end) => {
      if (!filter.mayHave(bytes.subarray(start, end))) missing++;
    });
  } finally {
    filter.close();
  }
  if (missing === 0) return;
  problems.say('catalogue-unusable', `its filter did not know ${missing} groups; it was dropped`, dataset);
  catalogue.transaction(() => {
    catalogue.filters.clear(dataset);
  });
}
