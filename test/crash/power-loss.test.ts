/**
 * D2 and promise 1: what must survive a loss of power was synced in the right order. The disk cannot be switched off here, so
 * the order of the system calls is looked at: a file is synced before it gets its name, its folder after, and the
 * catalogue says so only then.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runTraced, whyNoStrace } from './faults.ts';
import type { Sandbox } from './sandbox.ts';
import { prepared, type Workload, WORKLOADS } from './workloads.ts';

interface Call {
  readonly name: string;
  /** The file, or for a rename where it goes to. */
  readonly path: string;
  /** Where a renamed file comes from. */
  readonly from?: string;
}

const reason = whyNoStrace();
const NAMES = ['add a first batch', 'commit a second version', 'push to an empty remote', 'pull a newer version'];
const workloads = WORKLOADS.filter(({ name }) => NAMES.includes(name));

describe.skipIf(reason !== undefined).each(workloads)(
  `$name${reason === undefined ? '' : ` (${reason})`}`,
  (workload) => {
    test('D2: each file is synced before it gets its name, its folder after, and then the catalogue is written', async () => {
      const calls = await traced(workload);
      const named = calls.flatMap((call, index) => (isPublished(call) ? [{ call, index }] : []));
      expect(named.length).toBeGreaterThan(0);
      for (const { call, index } of named) {
        const synced = calls.findIndex(({ name, path }) => name === 'fsync' && path === call.from);
        expect([call.path, synced >= 0 && synced < index]).toEqual([call.path, true]);
        const after = calls.slice(index);
        const folder = after.findIndex(({ name, path }) => name === 'fsync' && path === dirname(call.path));
        expect([call.path, folder > 0]).toEqual([call.path, true]);
        const catalogue = after.findIndex(({ name, path }) => name === 'pwrite64' && path.endsWith('catalogue.db-wal'));
        expect([call.path, catalogue === -1 || catalogue > folder]).toEqual([call.path, true]);
      }
    });

    test('Promise 1: the log of the catalogue is synced before the command ends', async () => {
      const calls = (await traced(workload)).filter(({ path }) => path.endsWith('catalogue.db-wal'));
      expect(calls.length).toBeGreaterThan(0);
      const lastWrite = calls.findLastIndex(({ name }) => name === 'pwrite64');
      const lastSync = calls.findLastIndex(({ name }) => name === 'fsync' || name === 'fdatasync');
      expect(lastSync).toBeGreaterThan(lastWrite);
    });
  },
);

function isPublished({ name, path, from }: Call): boolean {
  return (
    (name === 'rename' || name === 'link') &&
    from !== undefined &&
    basename(from).startsWith('.uttr-tmp-') &&
    basename(path) !== '.uttr-lock'
  );
}

/** The calls of a workload's command, in the order they began. */
async function traced(workload: Workload): Promise<Call[]> {
  const sandbox: Sandbox = await prepared(workload);
  const log = sandbox.path('strace.log');
  try {
    await runTraced(sandbox, workload, [
      '-y',
      '-o',
      log,
      '-e',
      'trace=fsync,fdatasync,pwrite64,rename,link',
      '-e',
      'signal=none',
    ]);
    return readFileSync(log, 'utf8').split('\n').flatMap(parseCall);
  } finally {
    sandbox.remove();
  }
}

function parseCall(line: string): Call[] {
  const onFile = /^\d+ +(?<name>fsync|fdatasync|pwrite64)\(\d+<(?<path>[^>]*)>/u.exec(line)?.groups;
  if (onFile !== undefined) return [{ name: onFile['name'] ?? '', path: onFile['path'] ?? '' }];
  const naming = /^\d+ +(?<name>rename|link)\("(?<from>[^"]*)", "(?<path>[^"]*)"/u.exec(line)?.groups;
  if (naming === undefined) return [];
  return [{ name: naming['name'] ?? '', path: naming['path'] ?? '', from: naming['from'] ?? '' }];
}
