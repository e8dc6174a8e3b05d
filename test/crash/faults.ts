/** Faults that the system deals out: strace kills a process, or fails a call, at the k-th call of a kind. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledProgram, type Ended, runProcess } from './program.ts';
import { ENVIRONMENT, type Sandbox } from './sandbox.ts';
import type { Workload } from './workloads.ts';

/**
 * Calls that change files, in two sets, because strace counts calls by thread: SQLite works on the main thread, all
 * else on the one thread that the pool is left with.
 */
export const CALLS_OF_FILES = 'write,writev,pwritev,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir';
export const CALLS_OF_SQLITE = 'pwrite64,fdatasync,ftruncate';

const IS_REQUIRED = process.env['UTTR_REQUIRE_ALL'] === '1';

/** Whether experiments of all positions are wanted, not a sample. */
export const ALL = process.env['UTTR_CRASH_ALL'] === '1';

/** Why faults cannot be injected here; undefined: they can. */
export function whyNoStrace(): string | undefined {
  const tried = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO:when=99', 'true']);
  return missing('strace', tried.status === 0);
}

/** Why there can be no small disk here; undefined: there can. */
export function whyNoSmallDisk(): string | undefined {
  const tried = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', tmpdir()]);
  return missing('mounting a tmpfs (root on Linux)', tried.status === 0);
}

function missing(what: string, isThere: boolean): string | undefined {
  if (isThere) return undefined;
  if (IS_REQUIRED) throw new Error(`UTTR_REQUIRE_ALL is set, and ${what} does not work here`);
  return `${what} does not work here`;
}

/** Runs a workload's command under strace. */
export async function runTraced(sandbox: Sandbox, workload: Workload, options: readonly string[]): Promise<Ended> {
  const log = options.includes('-o') ? [] : ['-o', '/dev/null'];
  const args = ['-f', '-qq', ...log, ...options, process.execPath, compiledProgram(), ...workload.args];
  return runProcess('strace', args, {
    cwd: sandbox.path(workload.project),
    env: { ...ENVIRONMENT, UV_THREADPOOL_SIZE: '1' },
  });
}

/** The most calls of a set that any thread of a workload makes. */
export async function countCalls(start: Sandbox, workload: Workload, calls: string): Promise<number> {
  const sandbox = start.copy();
  const log = join(tmpdir(), `uttr-strace-${process.pid}-${Math.random()}`);
  try {
    await runTraced(sandbox, workload, ['-o', log, '-e', `trace=${calls}`, '-e', 'signal=none']);
    const counts = new Map<string, number>();
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const match = /^(\d+) +\w+\(/u.exec(line);
      if (match?.[1] !== undefined) counts.set(match[1], (counts.get(match[1]) ?? 0) + 1);
    }
    return Math.max(0, ...counts.values());
  } finally {
    sandbox.remove();
    rmSync(log, { force: true });
  }
}

/** All positions from 1 to `count`, or about `most` of them, spread evenly; `turn` shifts the sample. */
export function positions(count: number, most: number, turn: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const step = Math.ceil(count / most);
  return ALL || step <= 1 ? all : all.filter((position) => position % step === turn % step);
}
