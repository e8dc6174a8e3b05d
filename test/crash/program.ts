/**
 * The command as a process of its own, to be killed: compiled once for each state of the sources, because starting
 * compiled files takes half the time of stripping types at every start.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..', '..');
const CACHE = join(PROJECT, 'node_modules', '.cache', 'uttr-crash');

/** Programs of sources that have changed since are kept this long: another run may still be using one. */
const KEPT_MS = 3_600_000;

/** Path of the compiled command. */
export function compiledProgram(): string {
  const digest = createHash('sha256');
  for (const path of globSync('src/**/*.ts', { cwd: PROJECT }).toSorted()) {
    digest
      .update(path)
      .update('\0')
      .update(readFileSync(join(PROJECT, path)))
      .update('\0');
  }
  const folder = join(CACHE, digest.digest('hex').slice(0, 16));
  const program = join(folder, 'dist', 'cli', 'main.js');
  if (existsSync(program)) return program;
  removeOld();
  const building = `${folder}-${process.pid}`;
  mkdirSync(building, { recursive: true });
  const tsc = join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', join(building, 'dist'), '--noEmitOnError', 'false'];
  const built = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: 'utf8' });
  if (!existsSync(join(building, 'dist', 'cli', 'main.js')))
    throw new Error(`tsc failed:\n${built.stdout}${built.stderr}`);
  cpSync(join(PROJECT, 'package.json'), join(building, 'package.json'));
  try {
    renameSync(building, folder);
  } catch {
    // Another test file was faster.
    rmSync(building, { recursive: true, force: true });
  }
  return program;
}

function removeOld(): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a process to its end. */
export function runProcess(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (bytes: Buffer): void => void (output += bytes.toString('utf8'));
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}
