/**
 * What this working copy remembers of a remote, held against what the remote says now.
 */
import type { RemoteHead } from './remote-heads.ts';
import type { OpenRemote } from './remotes.ts';
import type { Repository } from './repository.ts';

/**
 * Heads move only forward (H1). One that went back, or is gone, means that the remote was emptied, replaced or
 * restored from an old backup: the person is told, and everything believed about the remote is forgotten.
 */
export function noticeStepBack(
  repository: Repository,
  remote: OpenRemote,
  dataset: string,
  branch: string,
  head: RemoteHead | undefined,
): void {
  const { catalogue, progress } = repository;
  const seen = catalogue.remotes.heads(remote.url, dataset).find((row) => row.branch === branch);
  if (seen === undefined) return;
  const isKept =
    head !== undefined &&
    (head.sequence > seen.sequence || (head.sequence === seen.sequence && head.version === seen.version));
  if (isKept) return;
  const now = head === undefined ? 'it is gone' : `it names ${head.version.slice(0, 12)}`;
  progress.note(
    `${remote.name} went back: its head of ${dataset} on ${branch} was ${seen.version.slice(0, 12)}, now ${now}; ` +
      'it was emptied, replaced or restored from a backup',
  );
  const capabilities = catalogue.remotes.capabilities(remote.url);
  catalogue.transaction(() => {
    catalogue.remotes.forget(remote.url);
    if (capabilities !== undefined) catalogue.remotes.setCapabilities(remote.url, capabilities);
  });
}
