/** What it takes to get a dataset that grew by many small batches, each pushed, beside one that was imported at once. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import { writeLines } from './generate.ts';
import { DATASET, Project } from './project.ts';
import { readBytes } from './read-bytes.ts';
import type { World } from './world.ts';

const BATCHES = 100;
/** Batches after which a colleague pulls, and somebody new fetches everything. */
const STEP = 10;

/** What was read from the remote after some batches. */
interface Point {
  /** By a colleague who had all but the last batches, of which so many bytes had been pushed. */
  readonly pulled: number;
  readonly pushed: number;
  /** By a new clone. */
  readonly fetched: number;
  /** By a new clone of a project into which the same rows were imported at once. */
  readonly fresh: number;
}

/** @throws Error where bytes cannot be counted */
export async function longHistory(world: World): Promise<readonly Figure[]> {
  const rows = world.rows / 10;
  const { scratchFolder, command } = world.options;
  const { project } = await world.imported(rows);
  const colleague = join(scratchFolder, 'colleague');
  project.cloneTo(colleague);
  await project.uttrIn(colleague, 'pull');
  const files = [await world.datasetFile(rows)];
  const points: Point[] = [];
  let pushed = 0;
  for (let at = 1; at <= BATCHES; at += 1) {
    const file = join(scratchFolder, `history-${at}.jsonl`);
    await writeLines(file, world.newRows(Math.max(1, rows / 1000), 2000 + at));
    files.push(file);
    pushed += await addAndPush(project, file);
    if (at % STEP !== 0) continue;
    world.note(`after ${at} of ${BATCHES} batches`);
    project.commitToGit(`batch ${at}`);
    spawnSync('git', ['pull', '--quiet'], { cwd: colleague });
    const other = new Project(join(scratchFolder, 'at-once'), command);
    await other.create();
    await addAndPush(other, ...files);
    other.commitToGit('all at once');
    points.push({ pulled: pullIn(project, colleague), pushed, fetched: fetchAnew(project), fresh: fetchAnew(other) });
    pushed = 0;
  }
  const values = (value: (point: Point) => number): number[] => points.map(value);
  return [
    { what: 'the same rows, imported at once', unit: 'bytes', values: values(({ fresh }) => fresh) },
    { what: 'after the batches', unit: 'bytes', values: values(({ fetched }) => fetched) },
    {
      what: 'in proportion, at the worst',
      unit: 'times',
      values: [Math.max(...values(({ fetched, fresh }) => fetched / fresh))],
      target: { atMost: 1.5 },
    },
    { what: `by \`pull\` of the last ${STEP} batches`, unit: 'bytes', values: values(({ pulled }) => pulled) },
    { what: 'pushed with these', unit: 'bytes', values: values((point) => point.pushed) },
  ];
}

/** @returns by how much the remote grew */
async function addAndPush(project: Project, ...files: readonly string[]): Promise<number> {
  const before = project.sizes().remoteBytes;
  await project.uttr('add', DATASET, ...files);
  await project.uttr('commit', '--message', 'more');
  await project.uttr('push');
  return project.sizes().remoteBytes - before;
}

/** Bytes read by somebody who has nothing. */
function fetchAnew(project: Project): number {
  const clone = join(project.folder, 'clone');
  project.cloneTo(clone);
  return pullIn(project, clone);
}

function pullIn(project: Project, directory: string): number {
  const bytes = readBytes(project.commandLine('pull'), directory, project.remote);
  if (bytes === undefined) throw new Error('strace counts the bytes, and is not here');
  return bytes;
}
