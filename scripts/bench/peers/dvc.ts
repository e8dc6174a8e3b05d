/** DVC with its fastest settings: hard links instead of copies, nothing asked of the network, many transfers at once. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneProject, FILE, keepInGit, newGit, placeFile } from './git.ts';
import { fromPyPI, versionOf } from './install.ts';
import type { Command, Peer, Site, State } from './peer.ts';

const PACKAGE = 'dvc[s3]==3.67.1';
const JOBS = '16';
const SHARDS = 1000;
const FOLDER = 'shards';
const LF = 10;

/** One file. Rows that changed are found by coreutils: both states sorted, each on a core of its own, and compared. */
export function dvc(): Peer {
  const program = fromPyPI('dvc', [PACKAGE]);
  return {
    ...common(FILE),
    name: 'dvc',
    place: placeFile,
    changes: (site, [older, newer]) => ({
      before: [],
      measured: [compareRows(cachedFile(site, older), cachedFile(site, newer))],
    }),
    changesAfar: (site, into, span) => {
      const bare = `${into}.git`;
      const get = (name: string): Command => ({
        // From a path DVC would take what lies in the cache of the project there.
        args: [
          program,
          'get',
          '--quiet',
          `file://${bare}`,
          FILE,
          '--rev',
          name,
          '--out',
          `${name}.jsonl`,
          '--jobs',
          JOBS,
        ],
        cwd: into,
      });
      const [older, newer] = span.map((name) => `${name}.jsonl`) as [string, string];
      return {
        before: [
          { args: ['rm', '-rf', into, bare] },
          { args: ['git', 'clone', '--quiet', '--bare', site.folder, bare] },
          { args: ['mkdir', '-p', into] },
        ],
        measured: [...span.map(get), { ...compareRows(older, newer), cwd: into }],
      };
    },
  };
}

/** Rows of two files that only one of them has. */
function compareRows(older: string, newer: string): Command {
  const script =
    'sort "$1" > ../older.sorted & sort "$2" > ../newer.sorted; wait; comm -3 ../older.sorted ../newer.sorted';
  return { args: ['env', 'LC_ALL=C', 'sh', '-c', script, 'sh', older, newer] };
}

/** Where DVC's cache has the one file as it was in a state that was kept. */
function cachedFile({ folder }: Site, name: string): string {
  const { stdout } = spawnSync('git', ['show', `${name}:${FILE}.dvc`], { cwd: folder, encoding: 'utf8' });
  const md5 = /md5: (?<md5>[0-9a-f]{32})/u.exec(stdout)?.groups?.['md5'];
  if (md5 === undefined) throw new Error(`no hash of ${FILE} in what DVC wrote: ${stdout}`);
  return join('.dvc', 'cache', 'files', 'md5', md5.slice(0, 2), md5.slice(2));
}

/** The same rows as a folder of files, so that a change of few of them touches few files. */
export function dvcShards(): Peer {
  return { ...common(FOLDER), name: 'dvc, 1,000 shards', place: placeShards };
}

function common(target: string): Omit<Peer, 'name' | 'place'> {
  const program = fromPyPI('dvc', [PACKAGE]);
  const run = (...args: readonly string[]): Command => ({ args: [program, ...args] });
  return {
    version: versionOf(program, '--version'),
    remotes: ['folder', 's3'],
    environment: { DVC_NO_ANALYTICS: '1' },
    create: ({ remote }) => [
      ...newGit(),
      run('init', '--quiet'),
      run('config', 'core.analytics', 'false'),
      run('config', 'core.check_update', 'false'),
      run('config', 'cache.type', 'hardlink,symlink'),
      run('remote', 'add', '--quiet', '--default', 'origin', remote.url),
      ...(remote.endpoint === undefined ? [] : [run('remote', 'modify', 'origin', 'endpointurl', remote.endpoint)]),
    ],
    record: () => [run('add', '--quiet', target)],
    push: () => [run('push', '--quiet', '--jobs', JOBS)],
    status: () => [run('status', '--quiet')],
    keep: keepInGit,
    write: () => ({
      before: [run('config', 'cache.type', 'copy'), { args: ['rm', '-rf', target] }],
      measured: [run('checkout', '--quiet', target)],
    }),
    fetch: (site, into) => ({
      before: cloneProject(site, into),
      measured: [{ ...run('pull', '--quiet', '--jobs', JOBS), cwd: into }],
    }),
  };
}

/**
 * Cuts the dataset into shards of equally many rows of the first state; what comes later is the end of the last one, so
 * that a batch touches one shard.
 */
function placeShards({ folder }: Site, { whole }: State): void {
  const bytes = readFileSync(whole);
  const target = join(folder, FOLDER);
  const ends = shardEnds(join(folder, '.git', 'shard-rows'), bytes);
  mkdirSync(target, { recursive: true });
  let start = 0;
  for (const [number, end] of ends.entries()) {
    const path = join(target, `${number}.jsonl`);
    const part = bytes.subarray(start, end);
    start = end;
    if (part.equals(readOrEmpty(path))) continue;
    // The old one is linked to the cache.
    rmSync(path, { force: true });
    writeFileSync(`${path}.new`, part);
    renameSync(`${path}.new`, path);
  }
}

/** @param note where the first state's rows of a shard are written down */
function shardEnds(note: string, bytes: Buffer): readonly number[] {
  let rows = Number(readOrEmpty(note).toString());
  if (rows === 0) {
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) rows++;
    rows = Math.ceil(rows / SHARDS);
    writeFileSync(note, String(rows));
  }
  const ends: number[] = [];
  let seen = 0;
  for (let at = bytes.indexOf(LF); at >= 0 && ends.length < SHARDS - 1; at = bytes.indexOf(LF, at + 1)) {
    if (++seen % rows === 0) ends.push(at + 1);
  }
  return [...ends, bytes.length];
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
