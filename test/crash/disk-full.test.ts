/**
 * A real disk fills up at any point of a command.
 *
 * Promise 6 (docs/reliability.md): the exit code is the documented one, nothing is half published, and the same
 * command completes once there is space.
 */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL, whyNoSmallDisk } from './faults.ts';
import { checkInterrupted, expectedOf, type Expected } from './oracle.ts';
import { compiledProgram, type Ended, runProcess } from './program.ts';
import { ENVIRONMENT, Sandbox } from './sandbox.ts';
import { prepared, type Workload, WORKLOADS } from './workloads.ts';

const reason = whyNoSmallDisk();
const NAMES = [
  'add to what is staged',
  'commit a second version',
  'push to an empty remote',
  'pull the data of a fresh clone',
];
const workloads = WORKLOADS.filter(({ name }) => NAMES.includes(name));

/** Pages that are free on the disk, besides what the sandbox takes. */
const PAGE_KIB = 4;
const STEP_PAGES = ALL ? 1 : 6;
const UNAVAILABLE = 6;

describe.skipIf(reason !== undefined).each(workloads)(
  `$name${reason === undefined ? '' : ` (${reason})`}`,
  (workload) => {
    let start: Sandbox;
    let expected: Expected;

    beforeAll(async () => {
      start = await prepared(workload);
      expected = await expectedOf(workload, start);
    });
    afterAll(() => start.remove());

    test('the disk fills up, and the command ends with its exit code and completes later', async () => {
      let failures = 0;
      for (let freePages = 0; ; freePages += STEP_PAGES) {
        const sandbox = Sandbox.make();
        try {
          const ended = await runOnSmallDisk(start, sandbox, workload, freePages * PAGE_KIB);
          expect({ ended, documented: [0, UNAVAILABLE].includes(ended.code ?? -1) }).toMatchObject({
            documented: true,
          });
          await checkInterrupted(sandbox, workload, expected);
          if (ended.code === 0) break;
          failures++;
        } catch (error) {
          throw new Error(`${freePages} free pages`, { cause: error });
        } finally {
          sandbox.remove();
        }
      }
      expect(failures).toBeGreaterThan(0);
    });
  },
);

/** Runs the command on a disk of its own that holds a copy of `start`, and copies what is then there to `into`. */
async function runOnSmallDisk(start: Sandbox, into: Sandbox, workload: Workload, freeKib: number): Promise<Ended> {
  const disk = into.path('disk');
  mkdirSync(disk);
  const script = [
    'set -e',
    'mount -t tmpfs tmpfs "$DISK"',
    'cp -a "$START/." "$DISK/"',
    'used=$(df -k --output=used "$DISK" | tail -1)',
    'mount -o remount,size=$((used + FREE))k "$DISK"',
    'code=0; (cd "$DISK/$PROJECT" && "$@") || code=$?',
    'cp -a "$DISK/." "$INTO/"',
    'exit $code',
  ].join('\n');
  const args = ['-m', 'sh', '-c', script, 'sh', process.execPath, compiledProgram(), ...workload.args];
  const env = {
    ...ENVIRONMENT,
    DISK: disk,
    START: start.root,
    INTO: into.root,
    PROJECT: workload.project,
    FREE: String(freeKib),
  };
  return runProcess('unshare', args, { cwd: into.root, env });
}
