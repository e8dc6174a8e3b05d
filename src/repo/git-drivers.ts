/**
 * What makes `git diff` and `git merge` work on records: attributes in the tree, drivers in the repository's
 * own configuration.
 */
import { join } from 'node:path';
import { ensureLine } from './ensure-line.ts';
import type { Git } from './git.ts';
import { MANIFESTS } from './working-copy.ts';

export interface DriverInstall {
  /** false outside a git work tree. */
  readonly installed: boolean;
  readonly attributesWritten: boolean;
}

/**
 * Installs the diff and merge drivers. The command in the configuration is `uttr` by default: git runs it
 * through a shell, so it must be on the path of whoever runs git.
 */
export async function installDrivers(root: string, git: Git, command = 'uttr'): Promise<DriverInstall> {
  if ((await git.topLevel()) === undefined) return { installed: false, attributesWritten: false };
  const settings: readonly (readonly [string, string])[] = [
    ['diff.uttr.command', `${command} git diff-driver`],
    ['merge.uttr.name', 'uttr: merge the records'],
    ['merge.uttr.driver', `${command} git merge-driver %O %A %B %P`],
  ];
  for (const [key, value] of settings) await git.output('config', '--local', key, value);
  const attributesWritten = await ensureLine(join(root, '.gitattributes'), `/${MANIFESTS}/*.json diff=uttr merge=uttr`);
  return { installed: true, attributesWritten };
}
