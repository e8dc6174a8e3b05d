/**
 * The process is killed at every named point of every workload, at its first three passes.
 *
 * Promises 1, 2 and 5 (docs/reliability.md), by the oracle of oracle.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CRASH_POINTS, type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { checkInterrupted, expectedOf } from './oracle.ts';
import { compiledProgram, runProcess } from './program.ts';
import { ENVIRONMENT, type Sandbox } from './sandbox.ts';
import { prepared, type Workload, WORKLOADS } from './workloads.ts';

/** Passes of a point that are tried; what comes later repeats them. */
const HITS = process.env['UTTR_CRASH_ALL'] === '1' ? 100 : 3;

const reached = new Set<CrashPoint>();
let program: string;

beforeAll(() => {
  program = compiledProgram();
});

describe.each(WORKLOADS)('$name', (workload) => {
  let start: Sandbox;

  beforeAll(async () => {
    start = await prepared(workload);
  });
  afterAll(() => start.remove());

  test('killed at any point, it leaves the old or the new state, and completes when run again', async () => {
    const expected = await expectedOf(workload, start);
    const passes = await passesOf(workload, start);
    let kills = 0;
    for (const [point, count] of passes) {
      reached.add(point);
      for (let hit = 1; hit <= Math.min(count, HITS); hit++) {
        const sandbox = start.copy();
        const setting = `${point}:${hit}`;
        try {
          const ended = await runProcess(process.execPath, [program, ...workload.args], {
            cwd: sandbox.path(workload.project),
            env: { ...ENVIRONMENT, UTTR_CRASH: setting },
          });
          expect([setting, ended.signal, ended.output]).toEqual([setting, 'SIGKILL', expect.anything()]);
          await checkInterrupted(sandbox, workload, expected);
          kills++;
        } catch (error) {
          throw new Error(`UTTR_CRASH=${setting} uttr ${workload.args.join(' ')}`, { cause: error });
        } finally {
          sandbox.remove();
        }
      }
    }
    expect(kills).toBeGreaterThan(0);
  });
});

test('every point of the registry is reached by some workload', () => {
  expect([...reached].toSorted()).toEqual([...CRASH_POINTS].toSorted());
});

/** How often a workload comes by each point. */
async function passesOf(workload: Workload, start: Sandbox): Promise<Map<CrashPoint, number>> {
  const sandbox = start.copy();
  const passes = new Map<CrashPoint, number>();
  try {
    setCrashHook((point) => passes.set(point, (passes.get(point) ?? 0) + 1));
    await sandbox.must(workload.project, ...workload.args);
  } finally {
    setCrashHook(undefined);
    sandbox.remove();
  }
  return passes;
}
