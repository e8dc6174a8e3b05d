/**
 * Measures a whole command from outside, as whoever runs it pays for it: start-up, garbage collection, children.
 *
 * - Wall time: from before the process is made until it has ended, by this process's monotonic clock.
 * - CPU time: user and system time of the command and all children it waited for, from the operating system. A shell
 *   around the command prints it with the POSIX built-in `times`; its resolution is 10 ms at worst.
 * - Peak memory: the highest resident set of any single process of the command. Linux keeps that high-water mark for
 *   each process (VmHWM) until it ends; it is read every 50 ms, so only growth in the last 50 ms of a process is missed;
 *   looking more often would slow down what is measured.
 *   Files mapped into memory count as far as they are resident.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';

/** What one run of a command cost. */
export interface Cost {
  readonly wallMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly peakRssBytes: number;
}

/** One run of a command. */
export interface Run extends Cost {
  readonly exitCode: number;
  readonly stdout: Buffer;
}

export interface MeasureOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Exit codes that are fine, by default 0 alone. */
  readonly expected?: readonly number[];
}

const POLL_MS = 50;
/** Runs its arguments, then prints the CPU time of children to descriptor 3, which the command itself does not see. */
const SHELL = '"$@" 3>&-; code=$?; times >&3; exit $code';

/**
 * Runs a command once.
 *
 * @throws Error with the end of its standard error when it ends with an exit code that is not expected.
 */
export async function measure(command: readonly string[], options: MeasureOptions = {}): Promise<Run> {
  if (process.platform !== 'linux') throw new Error('peak memory is read from /proc, which only Linux has');
  const { cwd, env = process.env, expected = [0] } = options;
  const startMs = performance.now();
  const child = spawn('sh', ['-c', SHELL, 'sh', ...command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const pid = child.pid;
  let peakRssBytes = 0;
  const poll = setInterval(() => {
    if (pid !== undefined) peakRssBytes = Math.max(peakRssBytes, peakRssOfTree(pid));
  }, POLL_MS);
  const outputs = [child.stdout, child.stderr, child.stdio[3]].map((stream) => buffer(stream as NodeJS.ReadableStream));
  let wallMs = 0;
  child.once('exit', () => {
    wallMs = performance.now() - startMs;
  });
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    const [stdout, stderr, times] = (await Promise.all(outputs)) as [Buffer, Buffer, Buffer];
    if (exitCode === null || !expected.includes(exitCode)) {
      throw new Error(`${command.join(' ')} ended with ${exitCode}: ${stderr.toString().slice(-2000)}`);
    }
    return { wallMs, ...parseTimes(times.toString()), peakRssBytes, exitCode, stdout };
  } finally {
    clearInterval(poll);
  }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('nothing has no median');
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/**
 * Reads what the shell's `times` prints: its own times on the first line, those of its children on the second, each
 * as user and system time like `0m1.23s`.
 */
export function parseTimes(text: string): { readonly userMs: number; readonly systemMs: number } {
  const children = text.trim().split('\n')[1] ?? '';
  const match = /^(\d+)m([\d.,]+)s\s+(\d+)m([\d.,]+)s$/u.exec(children.trim());
  if (match === null) throw new Error(`not what times prints: ${text}`);
  const [, userMinutes, userSeconds, systemMinutes, systemSeconds] = match as unknown as readonly string[];
  return { userMs: milliseconds(userMinutes, userSeconds), systemMs: milliseconds(systemMinutes, systemSeconds) };
}

/** Reads the high-water mark from the text of a /proc/<pid>/status; a process that is ending has none, which is 0. */
export function parsePeakRss(status: string): number {
  const match = /^VmHWM:\s+(\d+) kB$/mu.exec(status);
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Decimal units, three digits: `54 B`, `1.43 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** A Markdown table with its columns aligned; the first column is left-aligned, the others hold numbers. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |\n`;
  };
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return line(header) + line(rule) + rows.map((row) => line(row)).join('');
}

function milliseconds(minutes: string | undefined, seconds: string | undefined): number {
  return Number(minutes) * 60_000 + Math.round(Number(seconds?.replace(',', '.')) * 1000);
}

function peakRssOfTree(pid: number): number {
  return Math.max(parsePeakRss(readProc(`${pid}/status`)), ...childrenOf(pid).map((child) => peakRssOfTree(child)));
}

/** Any thread of a process may have started a child. */
function childrenOf(pid: number): readonly number[] {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    readProc(`${pid}/task/${thread}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

/** A process may end between two looks at it: then it has nothing to tell. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
