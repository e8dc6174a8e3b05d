/**
 * What must hold after a command was interrupted: the next command works without repair, all data is sound, the
 * state is the old or the new one, events tell of what happened and of nothing else, and the same command completes.
 */
import { expect } from 'vitest';
import type { Sandbox } from './sandbox.ts';
import { type State, stateOf } from './state.ts';
import type { Workload } from './workloads.ts';

export interface Expected {
  readonly before: State;
  readonly after: State;
}

/** Finds out what a workload does when nothing goes wrong. */
export async function expectedOf(workload: Workload, start: Sandbox): Promise<Expected> {
  const sandbox = start.copy();
  try {
    const before = await stateOf(sandbox, workload.project);
    await sandbox.must(workload.project, ...workload.args);
    const after = await stateOf(sandbox, workload.project);
    return { before, after };
  } finally {
    sandbox.remove();
  }
}

/** Checks a sandbox in which the workload's command was interrupted. */
export async function checkInterrupted(sandbox: Sandbox, workload: Workload, expected: Expected): Promise<void> {
  const { project, args } = workload;
  await expectSound(sandbox, project);
  const found = await stateOf(sandbox, project);
  const isNew = equal(found.local, expected.after.local);
  expect(isNew || equal(found.local, expected.before.local), `neither old nor new: ${summary(found)}`).toBe(true);
  expect([expected.before.remote, expected.after.remote]).toContain(found.remote);
  expectNothingInvented(found, workload);

  workload.beforeAgain?.(sandbox);
  const hasMoved = isNew && !equal(expected.before.local, expected.after.local);
  const again = await sandbox.run(project, ...args);
  expect([again.code, again.stderr], 'the same command again').toEqual([
    hasMoved ? workload.again : 0,
    expect.anything(),
  ]);
  await expectSound(sandbox, project);
  const end = await stateOf(sandbox, project);
  expect(end.local).toEqual(expected.after.local);
  expect(end.remote).toBe(expected.after.remote);
  expectNothingInvented(end, workload);
  expectAllAnnounced(end, workload);
  await expectAllDelivered(sandbox, project);
}

/** The next command works, and everything read again is what its hash says, here and on the remote. */
async function expectSound(sandbox: Sandbox, project: string): Promise<void> {
  const status = await sandbox.run(project, 'status');
  expect([status.code, status.stderr]).toEqual([0, expect.anything()]);
  const local = await sandbox.run(project, 'fsck');
  expect([local.code, local.stdout, local.stderr]).toEqual([0, expect.anything(), expect.anything()]);
  if (!(await hasRemote(sandbox, project))) return;
  const remote = await sandbox.run(project, 'fsck', '--remote');
  expect([remote.code, remote.stdout, remote.stderr]).toEqual([0, expect.anything(), expect.anything()]);
}

async function hasRemote(sandbox: Sandbox, project: string): Promise<boolean> {
  return sandbox.withRepository(project, ({ config }) => config.remotes['origin'] !== undefined);
}

/** No event without its version, none twice, and nothing at a sink that is not in the outbox. */
function expectNothingInvented(state: State, workload: Workload): void {
  expect(new Set(state.announced).size).toBe(state.announced.length);
  expect(state.events).toEqual(expect.arrayContaining([...state.delivered]));
  const happened = workload.announces === 'remote' ? state.remoteHistory : state.history;
  if (workload.announces === 'known' || workload.announces === 'nothing') return;
  expect(happened).toEqual(expect.arrayContaining([...state.announced]));
}

function expectAllAnnounced(state: State, workload: Workload): void {
  if (workload.announces === 'nothing') return;
  const happened = workload.announces === 'remote' ? state.remoteHistory : state.history;
  expect(state.announced).toEqual(expect.arrayContaining([...happened]));
}

async function expectAllDelivered(sandbox: Sandbox, project: string): Promise<void> {
  // A sink that failed along with the disk is tried again later; here, that is now.
  await sandbox.withRepository(project, ({ outbox }) => void outbox.retry('all', Date.now()));
  await sandbox.must(project, 'events', 'deliver');
  const { events, delivered } = await stateOf(sandbox, project);
  expect(delivered).toEqual(events);
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function summary({ local }: State): string {
  return JSON.stringify({ ...local, records: local.records.length, staged: local.staged?.length ?? null });
}
