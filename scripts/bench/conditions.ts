/** The conditions of a measurement: what ran where, and how much of the machine others took meanwhile. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Corpus } from './corpus.ts';

/** CPU time in clock ticks, which are the same unit in both files of /proc. */
export interface CpuTicks {
  /** Of all CPUs together, busy or not. */
  readonly total: number;
  /** Of all processes together, and what a hypervisor took away. */
  readonly busy: number;
  /** Of this process and all children it waited for. */
  readonly own: number;
}

/** One line about the machine and what runs programs on it. */
export function describeMachine(): string {
  const models = [...new Set(cpus().map(({ model }) => model.trim()))].join(', ');
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
  return `${models}, ${cpus().length} CPUs, ${memory}; Linux ${release()}; Node.js ${process.versions.node}`;
}

/** Version and commit of the program at `root`. */
export function describeProgram(root: string): string {
  return `uttr ${versionOfPackage(root)}${commitOf(root)}`;
}

/** How many rows there were, and whose words they are unless all were made up. */
export function describeRows(rows: number, corpus: Corpus | undefined): string {
  const count = `${rows.toLocaleString('en-US')} rows`;
  return corpus === undefined ? count : `${count} of real utterances with variations (${corpus.name})`;
}

export function versionOfPackage(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * Puts the session of this process before all others on the machine. Linux shares the CPU between sessions first, so
 * the niceness of a process alone says little.
 *
 * @throws Error where that is not allowed: it takes root
 */
export function takePriority(): void {
  writeFileSync('/proc/self/autogroup', '-20');
}

/** CPU time so far. */
export function readTicks(): CpuTicks {
  return parseTicks(readFileSync('/proc/stat', 'utf8'), readFileSync('/proc/self/stat', 'utf8'));
}

/**
 * @param machine text of /proc/stat: `cpu  user nice system idle iowait irq softirq steal guest guest_nice`
 * @param self text of /proc/self/stat: its 14th to 17th fields are user and system time, then those of children
 */
export function parseTicks(machine: string, self: string): CpuTicks {
  const times = (/^cpu +(?<times>.+)$/mu.exec(machine)?.groups?.['times'] ?? '').split(' ').map(Number);
  // Guest time is part of user time already.
  const total = times.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  const idle = (times[3] ?? 0) + (times[4] ?? 0);
  // The second field is the program's name in parentheses and may hold blanks: counting starts behind it.
  const fields = self.slice(self.lastIndexOf(')') + 2).split(' ');
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  if (times.length < 8 || fields.length < 15 || !Number.isFinite(total + own)) throw new Error('/proc cannot be read');
  return { total, busy: total - idle, own };
}

/** Share of the machine's CPU time that others took between two readings, from 0 to 1. */
export function shareOfOthers(before: CpuTicks, after: CpuTicks): number {
  const total = after.total - before.total;
  if (total === 0) return 0;
  const others = after.busy - before.busy - (after.own - before.own);
  return Math.min(1, Math.max(0, others / total));
}

function commitOf(root: string): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'package-lock.json') !== '';
    return ` at ${git('rev-parse', '--short=10', 'HEAD')}${changed ? ', with changes' : ''}`;
  } catch {
    return '';
  }
}
