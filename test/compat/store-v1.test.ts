/**
 * A store of format 1, written once and frozen: whatever this version writes, it reads that one, finds nothing wrong
 * with it, and gives the records and ids it was made with. It is never made again; a new format gets a new folder.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseHash, sha256, type Hash } from '../../src/base/hash.ts';
import { fsck, fsckRemote } from '../../src/repo/fsck.ts';
import { pull } from '../../src/repo/pull.ts';
import { findRecords, placesOf } from '../../src/repo/query.ts';
import { readHead, readTags } from '../../src/repo/remote-heads.ts';
import { openRemote } from '../../src/repo/remotes.ts';
import { Repository } from '../../src/repo/repository.ts';
import { history, loadVersion, type Version } from '../../src/repo/versions.ts';

interface FrozenVersion {
  readonly dataset: string;
  readonly version: string;
  readonly content: string;
  readonly parents: readonly string[];
  readonly sides: Readonly<Record<string, { readonly records: number; readonly sha256: string }>>;
}

const GOLDEN = new URL('../golden/store-v1/', import.meta.url).pathname;
const frozen = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as readonly FrozenVersion[];
const DATASETS = ['calls', 'support'];

const root = mkdtempSync(join(tmpdir(), 'uttr-compat-'));
let repository: Repository;

beforeAll(async () => {
  cpSync(GOLDEN, root, { recursive: true });
  const calls = {
    identity: ['features.role'],
    split: { method: 'hash', sides: { train: 0.6, dev: 0.15, test: 0.25 }, salt: 'v1', stratify: ['intent', 'lang'] },
  };
  const config = { uttr: 1, remotes: { origin: { url: './remote' } }, datasets: { calls, support: {} } };
  writeFileSync(join(root, 'uttr.json'), JSON.stringify(config));
  mkdirSync(join(root, '.uttr'));
  let count = 0;
  repository = await Repository.open(root, {
    clock: { now: () => new Date('2030-01-01T00:00:00.000Z') },
    random: { bytes: (size) => Buffer.alloc(size, ++count) },
    environment: {},
  });
});

afterAll(async () => {
  await repository.close();
  rmSync(root, { recursive: true, force: true });
});

const versionOf = ({ version, dataset }: FrozenVersion): Promise<Version> =>
  loadVersion(repository, parseHash(version), dataset);

async function linesOf(version: Version, side: string): Promise<string> {
  let text = '';
  for await (const found of findRecords(repository, version, { side })) {
    text += found.map(({ json }) => `${json}\n`).join('');
  }
  return text;
}

describe('a store of format 1', () => {
  test('fsck finds nothing wrong with it', async () => {
    const report = await fsckRemote(repository, 'origin');
    expect(report).toMatchObject({ ok: true, problems: [], versions: frozen.length });
  });

  test('its heads and its tag name the frozen versions', async () => {
    const { store } = await openRemote(repository, 'origin', 'read');
    for (const dataset of DATASETS) {
      const last = frozen.findLast((version) => version.dataset === dataset);
      expect((await readHead(store, dataset, 'main'))?.head.version).toBe(last?.version);
      const walked: Hash[] = [];
      for await (const version of history(repository, parseHash(last?.version as string))) walked.push(version.hash);
      const all = frozen.filter((version) => version.dataset === dataset).map(({ version }) => version);
      expect(walked.toSorted()).toEqual(all.toSorted());
    }
    const merge = frozen.find(({ parents }) => parents.length === 2);
    expect(await readTags(store, 'support')).toEqual(new Map([['v1.0', merge?.version]]));
    await store.close();
  });

  test.each(frozen)('$dataset@$version has its content id, parents and records', async (expected) => {
    const version = await versionOf(expected);
    expect(version.manifest.content).toBe(expected.content);
    expect(version.manifest.parents).toEqual(expected.parents);
    const sides: Record<string, { records: number; sha256: string }> = {};
    for (const side of placesOf(version, undefined)) {
      const text = await linesOf(version, side);
      sides[side] = { records: text.split('\n').length - 1, sha256: sha256(text) };
    }
    expect(sides).toEqual(expected.sides);
  });

  test('the records of the newest versions are the frozen lines', async () => {
    const files = readdirSync(join(GOLDEN, 'records'));
    expect(files).toHaveLength(7);
    for (const file of files) {
      const [dataset, side] = file.replace('.jsonl', '').split('-') as [string, string];
      const last = frozen.findLast((version) => version.dataset === dataset) as FrozenVersion;
      expect(await linesOf(await versionOf(last), side)).toBe(readFileSync(join(GOLDEN, 'records', file), 'utf8'));
    }
  });

  test('it can be pulled, and what was pulled is sound', async () => {
    await pull(repository, { remote: 'origin', datasets: DATASETS });
    expect(await fsck(repository, { rebuildIndex: false })).toMatchObject({ ok: true, problems: [] });
  });
});
