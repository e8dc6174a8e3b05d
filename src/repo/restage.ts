/**
 * What was staged for one version, prepared anew for another: git has moved the pointer in between.
 */
import { UttrError } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { BaseLookup } from './base-lookup.ts';
import { GroupState, noChanges } from './group-state.ts';
import { mergeRecord } from './merge-record.ts';
import type { Repository } from './repository.ts';
import { NO_HOME, readStagedGroups, type StagedLine, StagedWriter } from './staged-file.ts';
import { discardStaged, type Staged, type StagedSummary } from './staged-state.ts';
import type { Version } from './versions.ts';

/**
 * Carries the staged changes over to `parent`, field by field. A record that is there as it was, or already as it is
 * to be, is no trouble; one that was changed otherwise meanwhile is a conflict, and nothing is carried over.
 *
 * @returns undefined when `parent` has all of it: then nothing is staged any more
 * @throws merge-conflict
 */
export async function restage(
  repository: Repository,
  dataset: string,
  staged: Staged,
  parent: Version | undefined,
): Promise<Staged | undefined> {
  const lookup = new BaseLookup(repository.chunks, parent?.manifest);
  const file = `${dataset}-${repository.ulids.next()}.staged`;
  const path = repository.path('staged', file);
  const writer = await StagedWriter.open(path);
  const changes = noChanges();
  const conflicts: string[] = [];
  try {
    for await (const groups of readStagedGroups(staged.path, repository.dataset(dataset).identity)) {
      const found = await lookup.groups(groups.map((lines) => Buffer.from((lines[0] as StagedLine).fold)));
      for (const [index, lines] of groups.entries()) {
        const base = found[index] as (typeof found)[number];
        const state = new GroupState(homeNow(base.home, lines[0] as StagedLine));
        for (const [key, record] of base.members) state.put(key, record, record);
        for (const line of lines) if (!line.isUnchanged) carry(line, base.members, state, conflicts);
        if (!state.isChanged) continue;
        for (const line of state.lines()) writer.write(line);
        state.countAll(changes);
      }
      await writer.drain();
    }
    if (conflicts.length > 0) throw conflict(dataset, conflicts);
    await writer.publish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if (writer.lines === 0) {
    repository.catalogue.transaction(() => repository.catalogue.clearStaged(dataset));
    for (const gone of [file, staged.file]) await discardStaged(repository, gone);
    repository.progress.note(`the version that is checked out now has all that was staged for ${dataset}`);
    return undefined;
  }
  const summary: StagedSummary = {
    ...staged.summary,
    parent: parent?.hash ?? null,
    changes,
    lines: writer.lines,
    checksum: writer.checksum,
  };
  repository.catalogue.transaction(() =>
    repository.catalogue.setStaged({ dataset, file, summary: JSON.stringify(summary) }),
  );
  await discardStaged(repository, staged.file);
  repository.progress.note(`what was staged for ${dataset} was carried over to the version that is checked out now`);
  return { path, file, summary };
}

/** A side that a file has is kept until the group has one of its own. */
function homeNow(base: string, { home }: StagedLine): string {
  return base === NO_HOME && home.startsWith(NO_HOME) ? home : base;
}

function carry(line: StagedLine, members: ReadonlyMap<string, string>, state: GroupState, conflicts: string[]): void {
  const key = line.key.toString('utf8');
  const here = members.get(key);
  const before = line.before?.toString('utf8');
  const after = line.after?.toString('utf8');
  const merged = mergeRecord([before], here, after);
  if (merged === undefined) conflicts.push(decodeRecord((after ?? before) as string).text);
  else if (merged.value !== here) state.put(key, here, merged.value);
}

function conflict(dataset: string, texts: readonly string[]): UttrError {
  return new UttrError(
    'merge-conflict',
    `${texts.length} staged ${texts.length === 1 ? 'record' : 'records'} of ${dataset} changed in the version that is checked out now, e.g. "${(texts[0] ?? '').slice(0, 80)}"`,
    {
      hint: `drop what is staged (uttr reset ${dataset}) and add the files again`,
      details: { dataset, records: texts.length },
    },
  );
}
