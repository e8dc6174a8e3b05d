/** Git alone, and with git-lfs: both send to a bare repository in a folder. */
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fromDebian, versionOf } from './install.ts';
import type { Command, Peer, Site, State } from './peer.ts';

/** The one file of file-level programs. */
export const FILE = 'data.jsonl';

const git = (...args: readonly string[]): Command => ({ args: ['git', ...args] });

/** An empty repository in the site's folder. */
export function newGit(): readonly Command[] {
  return [
    git('init', '--quiet', '--initial-branch=main'),
    git('config', 'user.name', 'Bench'),
    git('config', 'user.email', 'bench@example.org'),
  ];
}

/** What git has of a project, in a new folder. */
export function cloneProject({ folder }: Site, into: string): readonly Command[] {
  return [
    git('add', '--all'),
    git('commit', '--quiet', '--allow-empty', '--message', 'a state'),
    { args: ['rm', '-rf', into] },
    git('clone', '--quiet', folder, into),
  ];
}

/** Puts what git has of a project under a tag. */
export function keepInGit(_: Site, name: string): readonly Command[] {
  return [
    git('add', '--all'),
    git('commit', '--quiet', '--allow-empty', '--message', name),
    git('tag', '--force', name),
  ];
}

/** Copies the dataset over the one file; the old one may be linked to a cache, so it is not written into. */
export function placeFile(site: Site, { whole }: State): void {
  const draft = join(site.folder, '.new');
  copyFileSync(whole, draft);
  renameSync(draft, join(site.folder, FILE));
}

const WITH_GIT = {
  remotes: ['folder'],
  place: placeFile,
  record: () => [git('add', FILE), git('commit', '--quiet', '--message', 'a state')],
  push: () => [git('push', '--quiet', 'origin', 'main')],
  status: () => [git('status', '--short')],
  write: () => ({ before: [{ args: ['rm', '-f', FILE] }], measured: [git('checkout', '--', FILE)] }),
} as const;

const withOrigin = ({ remote }: Site): readonly Command[] => [
  ...newGit(),
  { args: ['git', 'init', '--quiet', '--bare', '--initial-branch=main', remote.url] },
  git('remote', 'add', 'origin', `file://${remote.url}`),
];

/** Git as it comes: a large file is compressed with zlib, and packed against its former states before it is sent. */
export function plainGit(): Peer {
  return {
    ...WITH_GIT,
    keep: keepInGit,
    changes: (_, [older, newer]) => ({
      before: [],
      measured: [git('diff', '--output=../changed-rows', older, newer, '--', FILE)],
    }),
    name: 'git',
    version: versionOf('git', '--version'),
    create: withOrigin,
    fetch: (site, into) => ({ before: [{ args: ['rm', '-rf', into] }], measured: [cloneRemote(site, into)] }),
  };
}

const cloneRemote = ({ remote }: Site, into: string): Command => git('clone', '--quiet', `file://${remote.url}`, into);

export function gitLfs(): Peer {
  const program = fromDebian('git-lfs');
  return {
    ...WITH_GIT,
    name: 'git-lfs',
    version: versionOf(program, 'version'),
    environment: { PATH: `${join(program, '..')}:${process.env['PATH']}` },
    create: (site) => [...withOrigin(site), git('lfs', 'install', '--local'), git('lfs', 'track', FILE)],
    // A clone without the filter has the pointer alone.
    fetch: (site, into) => ({
      before: [
        { args: ['rm', '-rf', into] },
        cloneRemote(site, into),
        { ...git('lfs', 'install', '--local'), cwd: into },
      ],
      measured: [{ ...git('lfs', 'pull'), cwd: into }],
    }),
  };
}
