/**
 * Programs to compare with, each by its ordinary package, in the cache outside the tree.
 * What cannot be had is said to be absent, with the reason; nothing is guessed in its place.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cachedProgram, cachePath } from '../../cache.ts';

/** What is not there, and why. */
export class Absent extends Error {}

/** A program of packages from PyPI, in a virtual environment of its own. @throws Absent */
export function fromPyPI(name: string, packages: readonly string[]): string {
  const folder = cachePath([...packages, 'pypi'].join('_').replaceAll(/[^\w.=-]/gu, '-'));
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
  return cachedProgram(cachePath(`debian-${name}`, name), (draft) => {
    run('apt-get', ['download', '--quiet=2', name], draft);
    for (const file of readdirSync(draft).filter((entry) => entry.endsWith('.deb'))) {
      run('dpkg-deb', ['--extract', file, '.'], draft);
    }
    const program = join(draft, 'usr', 'bin', name);
    if (!existsSync(program)) throw new Absent(`its package has no ${name}`);
    return program;
  });
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
