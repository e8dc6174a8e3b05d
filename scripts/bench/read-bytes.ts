/**
 * Counts the bytes that a process and its threads read from files below a folder, with strace: what the program says of
 * itself is not asked.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SYSTEM_CALLS = 'read,pread64,readv,preadv,preadv2,mmap';

/** Runs a command under strace; undefined where strace is missing. @throws Error when the command fails */
export function readBytes(command: readonly string[], cwd: string, folder: string): number | undefined {
  const scratch = mkdtempSync(join(cwd, '.strace-'));
  try {
    // One file a thread (-ff), so that no line is torn; paths of descriptors (-y); no contents (-s 0).
    const options = ['-ff', '-y', '-s', '0', '-e', `trace=${SYSTEM_CALLS}`, '-o', join(scratch, 'calls')];
    const { status, error, stderr } = spawnSync('strace', [...options, ...command], { cwd, encoding: 'utf8' });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined;
    if (status !== 0) throw new Error(`${command.join(' ')} under strace ended with ${status}: ${stderr.slice(-2000)}`);
    return readdirSync(scratch)
      .map((file) => bytesReadBelow(folder, readFileSync(join(scratch, file), 'utf8')))
      .reduce((sum, bytes) => sum + bytes, 0);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * Adds up what the calls in strace's output read: `pread64(21</folder/packs/m/01K>, ""..., 4096, 0) = 4096`.
 *
 * @throws Error when a file below the folder is mapped into memory: such reads cannot be counted.
 */
export function bytesReadBelow(folder: string, output: string): number {
  let bytes = 0;
  for (const line of output.split('\n')) {
    const match = /^(?<call>\w+)\(.*?\d+<(?<path>[^>]*)>.* = (?<result>-?\d+|0x[0-9a-f]+)/u.exec(line);
    if (match?.groups?.['path']?.startsWith(`${folder}/`) !== true) continue;
    if (match.groups['call'] === 'mmap') throw new Error(`a file below ${folder} is mapped into memory: ${line}`);
    bytes += Math.max(0, Number(match.groups['result']));
  }
  return bytes;
}
