import { UttrError } from '../base/errors.ts';
import type { Repository } from './repository.ts';
import { loadVersion, parseTarget, resolveVersion, type Version } from './versions.ts';

/**
 * The two versions that `diff [a] [b]` means: without words, HEAD against its parent; with one, that one against
 * HEAD; a dataset's name alone stands for its HEAD and parent.
 */
export async function diffTargets(
  repository: Repository,
  a: string | undefined,
  b: string | undefined,
): Promise<{ readonly from: Version | undefined; readonly to: Version }> {
  const first = parseTarget(repository, a);
  const isWholeDataset = a === undefined || (a in repository.config.datasets && b === undefined);
  if (isWholeDataset) {
    const to = await resolveVersion(repository, first);
    const parent = to.manifest.parents[0];
    return { from: parent === undefined ? undefined : await loadVersion(repository, parent), to };
  }
  // The second name belongs to the dataset of the first: `diff support@HEAD~2 HEAD`.
  const second =
    b === undefined
      ? { dataset: first.dataset, name: 'HEAD' }
      : b.includes('@') || b in repository.config.datasets
        ? parseTarget(repository, b)
        : { dataset: first.dataset, name: b };
  if (second.dataset !== first.dataset) {
    throw new UttrError('bad-option', `${first.dataset} and ${second.dataset} are two datasets; a diff is of one`);
  }
  return { from: await resolveVersion(repository, first), to: await resolveVersion(repository, second) };
}
