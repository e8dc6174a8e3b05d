/**
 * The process is killed at every system call that changes a file; such a call fails, once or from then on.
 *
 * Promises 1, 2, 5 and 6 (docs/reliability.md), by the oracle of oracle.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CALLS_OF_FILES, CALLS_OF_SQLITE, countCalls, positions, runTraced, whyNoStrace } from './faults.ts';
import { checkInterrupted, expectedOf, type Expected } from './oracle.ts';
import type { Sandbox } from './sandbox.ts';
import { prepared, WORKLOADS } from './workloads.ts';

const reason = whyNoStrace();
const NAMES = ['add a first batch', 'commit the first version', 'commit a second version', 'push a second version'];
const workloads = WORKLOADS.filter(({ name }) => NAMES.includes(name));

/** Positions tried of each workload and set, unless all are asked for. */
const KILLS = 8;
const ERRORS = 2;

/** Exit codes of a command whose disk fails; 0 where the failed call did not matter. */
const DOCUMENTED = [0, 5, 6];

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

    test.for([CALLS_OF_FILES, CALLS_OF_SQLITE])('killed at any of its calls of %s', async (calls, { annotate }) => {
      const count = await countCalls(start, workload, calls);
      expect(count).toBeGreaterThan(0);
      const tried = positions(count, KILLS, 0);
      await annotate(`killed at ${tried.length} of ${count} calls: ${tried.join(' ')}`);
      for (const position of tried) {
        const inject = `inject=${calls}:signal=KILL:when=${position}`;
        await experiment(start, inject, async (sandbox) => {
          await runTraced(sandbox, workload, ['-e', inject]);
          await checkInterrupted(sandbox, workload, expected);
        });
      }
    });

    test.for([
      ['fsync', 'EIO'],
      ['rename,renameat,renameat2,link,linkat', 'EIO'],
      ['mkdir', 'ENOSPC'],
      ['pwrite64', 'ENOSPC'],
    ] as const)('%s fails with %s', async ([calls, error], { annotate }) => {
      const count = await countCalls(start, workload, calls);
      const tried = positions(count, ERRORS, count);
      await annotate(`failed at ${tried.length} of ${count} calls: ${tried.join(' ')}`);
      for (const position of tried) {
        for (const when of [`${position}`, `${position}+`]) {
          const inject = `inject=${calls}:error=${error}:when=${when}`;
          await experiment(start, inject, async (sandbox) => {
            const ended = await runTraced(sandbox, workload, ['-e', inject]);
            expect({ ended, documented: DOCUMENTED.includes(ended.code ?? -1) }).toMatchObject({ documented: true });
            await checkInterrupted(sandbox, workload, expected);
          });
        }
      }
    });
  },
);

async function experiment(start: Sandbox, name: string, run: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = start.copy();
  try {
    await run(sandbox);
  } catch (error) {
    throw new Error(`strace -f -e ${name}`, { cause: error });
  } finally {
    sandbox.remove();
  }
}
