/**
 * Programs to compare with, each by its ordinary package, in a cache outside the tree (UTTR_CACHE, or ~/.cache/uttr).
 * What cannot be had is said to be absent, with the reason; nothing is guessed in its place.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A program that is not there, and why. */
export class Absent extends Error {}

/** A program of packages from PyPI, in a virtual environment of its own. @throws Absent */
export function fromPyPI(name: string, packages: readonly string[]): string {
  const folder = join(cacheFolder(), [...packages, 'pypi'].join('_').replaceAll(/[^\w.=-]/gu, '-'));
  const program = join(folder, 'bin', name);
  if (existsSync(program)) return program;
  try {
    // An environment knows its own path, so it is made where it stays.
    run('python3', ['-m', 'venv', folder]);
    run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return program;
}

/** A program of a Debian package, unpacked without installing it; one that is installed is taken as it is. @throws Absent */
export function fromDebian(name: string): string {
  const installed = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  if (installed !== '') return installed;
  return once(`debian-${name}`, join('usr', 'bin', name), (draft) => {
    run('apt-get', ['download', '--quiet=2', name], draft);
    for (const file of readdirSync(draft).filter((entry) => entry.endsWith('.deb'))) {
      run('dpkg-deb', ['--extract', file, '.'], draft);
    }
  });
}

function cacheFolder(): string {
  return process.env['UTTR_CACHE'] ?? join(homedir(), '.cache', 'uttr');
}

/** Makes a folder of the cache unless it is there: two makers at once do not disturb each other. */
function once(folder: string, program: string, make: (draft: string) => void): string {
  const path = join(cacheFolder(), folder);
  if (existsSync(join(path, program))) return join(path, program);
  mkdirSync(dirname(path), { recursive: true });
  const draft = mkdtempSync(`${path}.`);
  try {
    make(draft);
    if (!existsSync(join(draft, program))) throw new Absent(`its package has no ${program}`);
    rmSync(path, { recursive: true, force: true });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return join(path, program);
}

function run(program: string, args: readonly string[], cwd?: string): void {
  const { status, error, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  throw new Absent(`${program} ${args.join(' ')}: ${error?.message ?? lastLine(stderr)}`);
}

/** First line that a program prints when asked for its version. @throws Absent */
export function versionOf(program: string, ...args: readonly string[]): string {
  const { status, stdout, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Absent(`${program}: ${error?.message ?? lastLine(stderr)}`);
  return /\d+(?:\.\d+)+/u.exec(stdout)?.[0] ?? stdout.trim();
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
