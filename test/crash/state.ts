/**
 * What a project holds, in a form that is equal for equal data whenever it was made: versions carry the time, so
 * states are compared by contents, not by ids.
 */
import { existsSync, readFileSync } from 'node:fs';
import { findRecords } from '../../src/repo/query.ts';
import { readHead } from '../../src/repo/remote-heads.ts';
import { openRemote } from '../../src/repo/remotes.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { readStagedState } from '../../src/repo/staged-state.ts';
import { headVersion, history, loadVersion } from '../../src/repo/versions.ts';
import { DATASET, type Sandbox } from './sandbox.ts';

export interface State {
  /** The data and what is about to be done to it: old or new as one. */
  readonly local: {
    readonly content: string | null;
    readonly records: readonly string[];
    readonly messages: readonly string[];
    readonly staged: string | null;
    readonly merge: boolean;
  };
  /** Content of the remote's head; null where there is none. */
  readonly remote: string | null;
  /** Versions in HEAD's history, and the ones that the remote's head went through. */
  readonly history: readonly string[];
  readonly remoteHistory: readonly string[];
  /** Versions that events in the outbox tell of, in order. */
  readonly announced: readonly string[];
  /** Ids of events in the outbox, and of those that the sink has, both without repetition. */
  readonly events: readonly string[];
  readonly delivered: readonly string[];
}

export async function stateOf(sandbox: Sandbox, project: string): Promise<State> {
  return sandbox.withRepository(project, async (repository) => {
    const version =
      repository.config.datasets[DATASET] === undefined ? undefined : await headVersion(repository, DATASET);
    const records: string[] = [];
    const versions: string[] = [];
    const messages: string[] = [];
    if (version !== undefined) {
      for await (const found of findRecords(repository, version)) {
        for (const { side, json } of found) records.push(`${side} ${json}`);
      }
      for await (const { hash, manifest } of history(repository, version.hash)) {
        versions.push(hash);
        messages.push(manifest.message);
      }
    }
    const staged = readStagedState(repository, DATASET);
    const events = repository.outbox.list().map(({ event }) => event);
    return {
      local: {
        content: version?.manifest.content ?? null,
        records,
        messages: messages.map((message) => message.replace(/^merge [0-9a-f]+$/u, 'merge')),
        staged: staged === undefined ? null : readFileSync(staged.path, 'utf8'),
        merge: repository.catalogue.merge(DATASET) !== undefined,
      },
      ...(await remoteState(repository)),
      history: versions,
      announced: events.map((event) => event.version).toReversed(),
      events: events.map((event) => event.id).toSorted(),
      delivered: deliveredEvents(sandbox, project),
    };
  });
}

async function remoteState(repository: Repository): Promise<Pick<State, 'remote' | 'remoteHistory'>> {
  if (repository.config.remotes['origin'] === undefined) return { remote: null, remoteHistory: [] };
  const { store } = await openRemote(repository, 'origin', 'read');
  const there = await readHead(store, DATASET, 'main');
  if (there === undefined) return { remote: null, remoteHistory: [] };
  const heads: string[] = [];
  for await (const { name } of store.list(`log/${DATASET}/main/`)) {
    const blob = await store.read(name);
    heads.push((JSON.parse(blob?.bytes.toString('utf8') ?? '{}') as { version: string }).version);
  }
  const { manifest } = await loadVersion(repository, there.head.version);
  return { remote: manifest.content, remoteHistory: heads };
}

/** Ids in the file sink; a line that a crash cut short is no event. */
function deliveredEvents(sandbox: Sandbox, project: string): string[] {
  const path = sandbox.path(project, 'events.jsonl');
  if (!existsSync(path)) return [];
  const ids = new Set<string>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    try {
      if (line !== '') ids.add((JSON.parse(line) as { id: string }).id);
    } catch {
      // Cut short: the event comes again.
    }
  }
  return [...ids].toSorted();
}
