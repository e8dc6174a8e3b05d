/**
 * What is staged, as a diff against the version it was prepared for: what the next commit will change.
 */
import { sidesByShare } from '../split/policy.ts';
import type { DiffSource } from './diff.ts';
import type { RecordChange } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { FORCED, readStagedGroups, type StagedLine } from './staged-file.ts';
import { readStagedState } from './staged-state.ts';

/** A group that is new has no side before the commit gives it one. */
const NO_SIDE_YET = 'no side yet';

export const STAGED = 'staged';

/** The staged changes of a dataset; none where nothing is staged. */
export function stagedDiff(repository: Repository, dataset: string): DiffSource {
  const { split } = repository.dataset(dataset);
  const staged = readStagedState(repository, dataset);
  return {
    dataset,
    from: staged?.summary.parent ?? null,
    to: STAGED,
    sides: [...sidesByShare(split), NO_SIDE_YET],
    changes: staged === undefined ? nothing() : stagedChanges(staged.path, repository.dataset(dataset).identity),
  };
}

async function* nothing(): AsyncIterable<readonly RecordChange[]> {
  // An empty stream.
}

async function* stagedChanges(path: string, identity: readonly string[]): AsyncIterable<readonly RecordChange[]> {
  for await (const groups of readStagedGroups(path, identity)) {
    const changes = groups.flat().filter((line) => !line.isUnchanged);
    if (changes.length > 0) yield changes.map(toChange);
  }
}

function toChange(line: StagedLine): RecordChange {
  return {
    key: Buffer.from(line.key),
    side: sideOf(line.home),
    before: line.before?.toString('utf8'),
    after: line.after?.toString('utf8'),
  };
}

/** `train`; `~train` for a group that comes back; `test>train` where a merge has decided; `-` for none. */
function sideOf(home: string): string {
  const side = home.split(FORCED).at(-1) ?? home;
  return /^~?(?<side>[a-z0-9].*)$/u.exec(side)?.groups?.['side'] ?? NO_SIDE_YET;
}
