import { UttrError } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { ProblemList } from './problem-list.ts';
import type { Repository } from './repository.ts';
import { readStagedGroups, type StagedLine } from './staged-file.ts';
import { checkStaged, readStagedState } from './staged-state.ts';

/** Reads what is staged: every line is in order and holds records, and there are as many as were written. */
export async function auditStaged(repository: Repository, problems: ProblemList): Promise<void> {
  for (const { dataset, file } of repository.catalogue.allStaged()) {
    const where = `staged/${file}`;
    try {
      const staged = readStagedState(repository, dataset);
      if (staged === undefined) continue;
      await checkStaged(staged);
      const lines = await checkLines(staged.path, repository.config.datasets[dataset]?.identity ?? []);
      if (lines === staged.summary.lines) continue;
      problems.say('bad-checksum', `it has ${lines} lines, not the ${staged.summary.lines} that were staged`, where);
    } catch (error) {
      problems.add(isMissing(error) ? damaged('is not there any more') : error, where);
    }
  }
}

async function checkLines(path: string, identity: readonly string[]): Promise<number> {
  let count = 0;
  let last: Buffer | undefined;
  for await (const groups of readStagedGroups(path, identity)) {
    for (const line of groups.flat()) {
      count++;
      checkLine(line);
      if (last !== undefined && Buffer.compare(last, line.key) >= 0) throw damaged('is not in the order of its keys');
      last = Buffer.from(line.key);
    }
  }
  return count;
}

function checkLine(line: StagedLine): void {
  for (const record of [line.before, line.isUnchanged ? undefined : line.after]) {
    if (record !== undefined) decodeRecord(record);
  }
}

function damaged(what: string): UttrError {
  return new UttrError('bad-checksum', `the staged file ${what}`, {
    hint: 'run: uttr reset, then add the files again',
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof UttrError && error.details['errno'] === 'ENOENT';
}
