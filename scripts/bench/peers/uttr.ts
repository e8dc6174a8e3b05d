import { join } from 'node:path';
import type { Command, Peer, Site } from './peer.ts';
import { cloneProject, keepInGit, newGit } from './git.ts';

const DATASET = 'support';

/** @param command what runs uttr */
export function uttr(command: readonly string[], version: string): Peer {
  const run = (...args: readonly string[]): Command => ({ args: [...command, ...args] });
  return {
    name: 'uttr',
    version,
    remotes: ['folder', 's3'],
    create: ({ remote }) => [
      ...newGit(),
      run('init'),
      run(
        'remote',
        'add',
        'origin',
        remote.url,
        ...(remote.endpoint === undefined ? [] : ['--endpoint', remote.endpoint]),
      ),
    ],
    record: (_, { batch }) => [
      run('add', DATASET, batch, '--on-conflict', 'relabel'),
      run('commit', '--message', 'a batch'),
    ],
    push: () => [run('push')],
    status: () => [run('status')],
    keep: keepInGit,
    // The older one is the parent of the newer, which is what is meant where nothing is said.
    changes: () => ({ before: [], measured: [run('diff')] }),
    changesAfar: (site, into) => ({ before: cloneProject(site, into), measured: [{ ...run('diff'), cwd: into }] }),
    write: (site: Site) => ({
      before: [{ args: ['rm', '-rf', join(site.folder, 'export')] }],
      measured: [run('export', '--output', 'export')],
    }),
    fetch: (site, into, part) => ({
      before: cloneProject(site, into),
      measured: [{ ...run('pull', ...(part === 'test' ? ['--side', 'test'] : [])), cwd: into }],
    }),
  };
}
