/** restic: a deduplicating backup, which cuts files where their content says. Recording is sending. */
import { FILE, placeFile } from './git.ts';
import { fromDebian, versionOf } from './install.ts';
import type { Command, Peer, Remote, Site } from './peer.ts';

export function restic(): Peer {
  const program = fromDebian('restic');
  const run = (site: Site, ...args: readonly string[]): Command => ({
    args: [program, '--quiet', '--repo', repository(site.remote), ...args],
  });
  return {
    name: 'restic',
    version: versionOf(program, 'version'),
    remotes: ['folder', 's3'],
    environment: { RESTIC_PASSWORD: 'bench' },
    create: (site) => [run(site, 'init', '--repository-version', '2')],
    place: placeFile,
    record: (site) => [run(site, 'backup', FILE)],
    push: () => [],
    write: (site) => ({
      before: [{ args: ['rm', '-rf', 'out'] }],
      measured: [run(site, 'restore', 'latest', '--target', 'out')],
    }),
    fetch: (site, into) => ({
      before: [{ args: ['rm', '-rf', into] }],
      measured: [run(site, '--no-cache', 'restore', 'latest', '--target', into)],
    }),
  };
}

function repository({ url, endpoint }: Remote): string {
  return endpoint === undefined ? url : `s3:${endpoint}/${url.slice('s3://'.length)}`;
}
