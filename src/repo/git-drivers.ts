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
 * Installs the diff and merge drivers. Git runs them through a shell, so the command must be on the path of whoever
 * runs git; where it is not, they say so, and git stops before it takes a pointer for merged.
 *
 * @param command how git is to call uttr, as words for a shell
 */
export async function installDrivers(root: string, git: Git, command = 'uttr'): Promise<DriverInstall> {
  if ((await git.topLevel()) === undefined) return { installed: false, attributesWritten: false };
  const settings: readonly (readonly [string, string])[] = [
    ['diff.uttr.command', `f() { ${guarded(command, 'git diff-driver "$@"', 1)}; }; f`],
    ['merge.uttr.name', 'uttr: merge the records'],
    ['merge.uttr.driver', guarded(command, 'git merge-driver %O %A %B %P %L', MERGE_FAILED)],
  ];
  for (const [key, value] of settings) await git.output('config', '--local', key, value);
  const attributesWritten = await ensureLine(join(root, '.gitattributes'), `/${MANIFESTS}/*.json diff=uttr merge=uttr`);
  return { installed: true, attributesWritten };
}

/** From 129 on, git takes a driver's exit code for a failure and not for a conflict. */
const MERGE_FAILED = 129;

function guarded(command: string, rest: string, exitCode: number): string {
  const program = /^(?:'[^']*'|"[^"]*"|\S)+/u.exec(command)?.[0] ?? command;
  const message =
    'git cannot find uttr to show or merge its datasets. Install it, or say how to call it: uttr git install --command <command>';
  return `if command -v ${program} >/dev/null 2>&1; then ${command} ${rest}; else echo '${message}' >&2; exit ${exitCode}; fi`;
}
