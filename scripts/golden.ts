/**
 * Writes test/golden/store-v1: a small store of format 1 and what is in it. It is written once for each format and
 * then read for ever, by test/compat; run it only for a new format, with a new folder.
 *
 *   node scripts/golden.ts <folder that does not exist>
 *
 *   remote/       the store: a folder remote with two datasets, deltas, a merge, a tag
 *   manifests/    the pointers
 *   records/      the records that the pointers name, one file a side: the lines of `uttr cat --side`
 *   expected.json versions in order of making: hash, content id, parents, and the digest of each side's lines
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sha256 } from '../src/base/hash.ts';
import { encodePointer, pointerOf } from '../src/records/pointer.ts';
import { add } from '../src/repo/add.ts';
import { commit } from '../src/repo/commit.ts';
import { relabelRecords, removeRecords } from '../src/repo/edit-records.ts';
import { init } from '../src/repo/init.ts';
import { mergeVersions } from '../src/repo/merge-state.ts';
import { push } from '../src/repo/push.ts';
import { findRecords, placesOf } from '../src/repo/query.ts';
import { Repository } from '../src/repo/repository.ts';
import { addTag } from '../src/repo/tags.ts';
import { headVersion, type Version } from '../src/repo/versions.ts';
import { writePointerText } from '../src/repo/working-copy.ts';
import { callRows, ODD_ROWS, type Row, someRooms } from './golden/rows.ts';
import { CountedRandom, SteppingClock } from './golden/world.ts';

const CONFIG = {
  uttr: 1,
  remotes: { origin: { url: './remote' } },
  datasets: {
    calls: {
      identity: ['features.role'],
      split: { method: 'hash', sides: { train: 0.6, dev: 0.15, test: 0.25 }, salt: 'v1', stratify: ['intent', 'lang'] },
    },
    support: {},
  },
};

const AUTHOR = 'Ada <ada@example.org>';

interface MadeVersion {
  readonly dataset: string;
  readonly version: string;
  readonly content: string;
  readonly parents: readonly string[];
  readonly sides: Readonly<Record<string, { readonly records: number; readonly sha256: string }>>;
}

/** Makes the store, version by version. */
class Maker {
  readonly #repository: Repository;
  readonly #target: string;
  readonly #made: MadeVersion[] = [];

  constructor(repository: Repository, target: string) {
    this.#repository = repository;
    this.#target = target;
  }

  async add(dataset: string, name: string, rows: readonly Row[]): Promise<void> {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const stream = Readable.from([Buffer.from(text)]);
    await add(this.#repository, dataset, [{ kind: 'stream', name, stream }], {
      onConflict: 'relabel',
      format: 'jsonl',
    });
  }

  relabel(dataset: string, texts: readonly string[], intent: string): Promise<unknown> {
    return relabelRecords(this.#repository, dataset, { texts }, intent, false);
  }

  remove(dataset: string, texts: readonly string[]): Promise<unknown> {
    return removeRecords(this.#repository, dataset, { texts }, false);
  }

  async commit(dataset: string, message: string): Promise<Version> {
    await commit(this.#repository, dataset, { message, author: AUTHOR });
    return this.#keep(dataset);
  }

  async merge(dataset: string, theirs: Version): Promise<Version> {
    const ours = (await headVersion(this.#repository, dataset)) as Version;
    const { crossed } = await mergeVersions(this.#repository, ours, theirs, { message: 'merge', author: AUTHOR });
    if (crossed === 0) throw new Error('the merge was meant to find a group on different sides');
    return this.#keep(dataset);
  }

  /** Goes back to a version, as `git checkout` of its pointer does. */
  async goTo({ hash, manifest }: Version): Promise<void> {
    await writePointerText(this.#repository.root, manifest.dataset, encodePointer(pointerOf(hash, manifest)));
  }

  async #keep(dataset: string): Promise<Version> {
    const version = (await headVersion(this.#repository, dataset)) as Version;
    const sides: Record<string, { records: number; sha256: string }> = {};
    for (const side of placesOf(version, undefined)) {
      let text = '';
      for await (const found of findRecords(this.#repository, version, { side })) {
        text += found.map(({ json }) => `${json}\n`).join('');
      }
      sides[side] = { records: text.split('\n').length - 1, sha256: sha256(text) };
      // The last version's stay.
      await writeFile(join(this.#target, 'records', `${dataset}-${side}.jsonl`), text);
    }
    const { content, parents } = version.manifest;
    this.#made.push({ dataset, version: version.hash, content, parents, sides });
    return version;
  }

  async finish(): Promise<void> {
    await writeFile(join(this.#target, 'expected.json'), `${JSON.stringify(this.#made, null, 2)}\n`);
  }
}

/** Two branches that draw the same group: alone in its stratum it is train, among four it is the first, so test. */
async function makeSupport(maker: Maker, repository: Repository): Promise<void> {
  await maker.add('support', 'rooms.jsonl', someRooms(240));
  await maker.add('support', 'odd.jsonl', ODD_ROWS);
  await maker.commit('support', 'rooms and oddities');
  await push(repository, 'origin', ['support']);

  await maker.add('support', 'more rooms.jsonl', someRooms(9, 2));
  await maker.relabel('support', ['ΟΔΟΣ'], 'street');
  await maker.remove('support', ['?!', 'turn on the kitchen']);
  const fork = await maker.commit('support', 'more rooms');
  await push(repository, 'origin', ['support']);

  const texts = ['play jazz', 'play blues', 'play rock', 'play folk'];
  const first = [...texts].sort((a, b) => (sha256(`support\0${a}`) < sha256(`support\0${b}`) ? -1 : 1))[0] as string;
  await maker.add(
    'support',
    'theirs.jsonl',
    texts.map((text) => ({ text, intent: 'play' })),
  );
  await maker.remove('support', ['...']);
  const theirs = await maker.commit('support', 'four ways to play');
  await maker.goTo(fork);
  await maker.add('support', 'ours.jsonl', [
    { text: `${first}!`, intent: 'play' },
    { text: '?!', intent: 'confused' },
  ]);
  await maker.commit('support', 'one way to play');
  const merged = await maker.merge('support', theirs);
  addTag(repository, 'v1.0', merged, false);
  await push(repository, 'origin', ['support']);
}

async function makeCalls(maker: Maker, repository: Repository): Promise<void> {
  const rows = callRows();
  await maker.add('calls', 'calls.jsonl', rows.slice(0, 30));
  await maker.commit('calls', 'calls');
  await maker.add('calls', 'calls.jsonl', rows.slice(24));
  await maker.commit('calls', 'all calls');
  await push(repository, 'origin', ['calls']);
}

async function main(): Promise<void> {
  const [target] = process.argv.slice(2);
  if (target === undefined || existsSync(target)) throw new Error('name a folder that does not exist yet');
  await mkdir(join(target, 'records'), { recursive: true });
  const root = await mkdtemp(join(tmpdir(), 'uttr-golden-'));
  try {
    await init(root);
    await writeFile(join(root, 'uttr.json'), JSON.stringify(CONFIG));
    const around = { clock: new SteppingClock(), random: new CountedRandom(), environment: {} };
    const repository = await Repository.open(root, around);
    const maker = new Maker(repository, target);
    await makeSupport(maker, repository);
    await makeCalls(maker, repository);
    await maker.finish();
    await repository.close();
    // Locks are no part of a store.
    const filter = (path: string): boolean => !path.includes('.uttr-');
    await cp(join(root, 'remote'), join(target, 'remote'), { recursive: true, filter });
    await cp(join(root, 'manifests'), join(target, 'manifests'), { recursive: true });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

await main();
