/** What fsck finds, heals and clears up; test/crash changes every kind of file byte by byte. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../src/base/hash.ts';
import { openDatabase } from '../../src/catalogue/database.ts';
import type { Manifest } from '../../src/records/manifest.ts';
import { fsck, type FsckReport, setAsideCatalogue } from '../../src/repo/fsck.ts';
import { ProblemList } from '../../src/repo/problem-list.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { auditStaged } from '../../src/repo/staged-audit.ts';
import { addTag } from '../../src/repo/tags.ts';
import { VersionAudit } from '../../src/repo/version-audit.ts';
import { headVersion, loadVersion, type Version } from '../../src/repo/versions.ts';
import { STALE_TEMP_MS } from '../../src/store/durable-file.ts';
import { type Edit, editTree } from '../../src/tree/edit.ts';
import { TreeReader } from '../../src/tree/reader.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

vi.setConfig({ testTimeout: 60_000 });

const check = (copy: Copy, rebuildIndex = false): Promise<FsckReport> =>
  copy.open((repository) => fsck(repository, { rebuildIndex }));

const whatIsWrong = async (copy: Copy): Promise<string> =>
  (await check(copy)).problems.map(({ what }) => what).join('\n');

async function problemsOfStaged(repository: Repository): Promise<readonly unknown[]> {
  const problems = new ProblemList();
  await auditStaged(repository, problems);
  return problems.all;
}

/** A project without a remote and with two versions. */
async function project(): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put(rows(0, 200));
  await copy.put([...rows(200, 20), { text: 'utterance 3', intent: 'changed' }]);
  return copy;
}

const catalogueOf = (copy: Copy): string => join(copy.root, '.uttr', 'catalogue.db');

function packsOf(copy: Copy, kind: 'd' | 'm'): string[] {
  return readdirSync(join(copy.root, '.uttr', 'packs', kind)).map((name) =>
    join(copy.root, '.uttr', 'packs', kind, name),
  );
}

describe('versions', () => {
  interface Forgery {
    readonly repository: Repository;
    readonly parent: Version;
    readonly head: Version;
    /** The tree with other entries; its chunks are where the audit reads. */
    readonly edited: (tree: Manifest['retired'], edits: readonly Edit[]) => Promise<Manifest['retired']>;
    /** Problems of a version made of HEAD with some fields changed. */
    readonly problemsOf: (fields: Partial<Manifest>, options?: { readonly alone: boolean }) => Promise<string>;
  }

  /** Checks versions that nothing but a broken program would write. */
  async function forging(work: (forgery: Forgery) => Promise<void>): Promise<void> {
    const copy = await project();
    await copy.open(async (repository) => {
      const head = (await headVersion(repository, DATASET)) as Version;
      const parent = await loadVersion(repository, head.manifest.parents[0] as Version['hash']);
      const forged = new MemoryChunks();
      const source = {
        get: async (hash: Version['hash']) => (await source.getMany([hash]))[0] as Buffer,
        getMany: (hashes: readonly Version['hash'][]) =>
          Promise.all(
            hashes.map((hash) => (forged.hashes.includes(hash) ? forged.get(hash) : repository.localOnly.get(hash))),
          ),
      };
      const problemsOf: Forgery['problemsOf'] = async (fields, { alone } = { alone: false }) => {
        const problems = new ProblemList();
        const audit = new VersionAudit(source, problems);
        await audit.check(parent, undefined);
        expect(problems.all).toEqual([]);
        const manifest = { ...head.manifest, ...fields };
        await audit.check({ hash: sha256('forged'), manifest }, alone ? undefined : parent);
        return problems.all.map(({ what }) => what).join('\n');
      };
      const edited: Forgery['edited'] = (tree, edits) => editTree(source, forged, tree, edits);
      await work({ repository, parent, head, edited, problemsOf });
    });
  }

  async function firstEntry(
    repository: Repository,
    tree: Manifest['retired'],
  ): Promise<{ key: Buffer; value: Buffer }> {
    for await (const [entry] of new TreeReader(repository.localOnly, tree).scan()) {
      if (entry !== undefined) return entry;
    }
    throw new Error('the tree is empty');
  }

  test('V1: a group on two sides is found, by what changed and from everything', async () => {
    await forging(async ({ repository, head, edited, problemsOf }) => {
      const { sides } = head.manifest;
      const { key, value } = await firstEntry(repository, sides['train'] as Manifest['retired']);
      const test_ = { ...(await edited(sides['test'] as Manifest['retired'], [{ key, value }])), groups: 1 };
      const fields = { sides: { ...sides, test: test_ } };
      expect(await problemsOf(fields)).toMatch(/is on train and on test|is on test and on train/u);
      expect(await problemsOf(fields, { alone: true })).toMatch(/is on (?:test|train) and on (?:test|train)/u);
    });
  });

  test('V1: a group that is retired and on a side is found', async () => {
    await forging(async ({ repository, head, edited, problemsOf }) => {
      const { sides, retired } = head.manifest;
      const { key } = await firstEntry(repository, sides['train'] as Manifest['retired']);
      const fold = key.subarray(0, key.indexOf(9));
      const fields = { retired: await edited(retired, [{ key: fold, value: Buffer.from('"train"') }]) };
      expect(await problemsOf(fields)).toContain('is on train and on retired');
      expect(await problemsOf(fields, { alone: true })).toContain('is on train and on retired');
      const nowhere = { retired: await edited(retired, [{ key: fold, value: Buffer.from('"nowhere"') }]) };
      expect(await problemsOf(nowhere)).toContain('a retired group has no side');
    });
  });

  test('V2: counts that are not those of the records are found', async () => {
    await forging(async ({ head, problemsOf }) => {
      const { intents, strata, sides } = head.manifest;
      const train = sides['train'] as Manifest['sides'][string];
      for (const options of [{ alone: false }, { alone: true }]) {
        expect(await problemsOf({ intents: { ...intents, '"more"': { train: 1 } } }, options)).toContain('the intents');
        expect(await problemsOf({ strata: { ...strata, '["more"]': { train: 1 } } }, options)).toContain('the strata');
        const more = { ...sides, train: { ...train, groups: train.groups + 1 } };
        expect(await problemsOf({ sides: more }, options)).toContain(`train has ${train.groups} groups`);
      }
    });
  });

  test('V3: a group that changes its side without a merge is found', async () => {
    await forging(async ({ repository, parent, head, edited, problemsOf }) => {
      const { sides } = head.manifest;
      const [train, test_] = [sides['train'], sides['test']] as Manifest['sides'][string][];
      const { key, value } = await firstEntry(repository, parent.manifest.sides['train'] as Manifest['retired']);
      const fields = {
        sides: {
          train: { ...(await edited(train as Manifest['retired'], [{ key, value: undefined }])), groups: 0 },
          test: { ...(await edited(test_ as Manifest['retired'], [{ key, value }])), groups: 0 },
        },
      };
      expect(await problemsOf(fields)).toContain('1 groups have another side than in its parent, its manifest says 0');
    });
  });

  test('V4: changes and their list that are not the difference to the parent are found', async () => {
    await forging(async ({ parent, head, edited, problemsOf }) => {
      const { changes } = head.manifest;
      expect(await problemsOf({ changes: { ...changes, added: changes.added + 1 } })).toContain('the changes');
      expect(await problemsOf({ changes: { ...parent.manifest.changes, list: null } })).toContain('the changes');
      const list = changes.list as Manifest['retired'];
      const more = await edited(list, [{ key: Buffer.from('zzz\t'), value: Buffer.from('{"side":"train"}') }]);
      expect(await problemsOf({ changes: { ...changes, list: more } })).toContain('its list of changes');
      expect(await problemsOf({ changes: { ...changes, list: head.manifest.retired } })).toContain(
        'its list of changes',
      );
      expect(await problemsOf({ changes: { ...changes, list: null } })).toBe('');
      expect(await problemsOf({})).toBe('');
    });
  });
});

describe('the index', () => {
  test('a pack that an interrupted command left is made known', async () => {
    const copy = await project();
    await copy.open(async ({ catalogue }) => {
      const last = catalogue.packs().at(-1)?.name;
      catalogue.db.exec('PRAGMA foreign_keys = OFF');
      catalogue.db
        .prepare(
          'DELETE FROM chunks WHERE frame IN (SELECT frames.id FROM frames JOIN packs ON packs.id = frames.pack WHERE name = ?)',
        )
        .run(last);
      catalogue.db.prepare('DELETE FROM frames WHERE pack IN (SELECT id FROM packs WHERE name = ?)').run(last);
      catalogue.db.prepare('DELETE FROM packs WHERE name = ?').run(last);
    });
    expect(await check(copy)).toMatchObject({ ok: true, versions: 2 });
    expect(copy.world.notes.join()).toContain('was left by an interrupted command');
  });

  test.each([
    ['UPDATE chunks SET offset = offset + 1 WHERE offset > 0', 'lies outside its frame'],
    ['UPDATE frames SET depth = 3 WHERE depth = 0', 'do not lie where the index says'],
    ["INSERT INTO packs (name, bytes) VALUES ('packs/m/gone', 1)", 'the index names a pack that is not there'],
    ["UPDATE versions SET manifest = replace(manifest, 'Ada', 'Eve')", 'other bytes of its manifest'],
  ])('%s is found, and rebuilt', async (sql, problem) => {
    const copy = await project();
    await copy.open(async ({ catalogue }) => void catalogue.db.exec(sql));
    expect(await whatIsWrong(copy)).toContain(problem);
    expect((await check(copy, true)).problems).toEqual([]);
    expect((await check(copy)).problems).toEqual([]);
  });

  test('a pack that is gone is a problem of the index and of the versions that need it', async () => {
    const copy = await project();
    rmSync(packsOf(copy, 'd')[0] as string);
    expect(await whatIsWrong(copy)).toMatch(/the index names a pack[^]*/u);
    const rebuilt = await check(copy, true);
    expect(rebuilt.versions).toBe(2);
    await copy.open(async ({ catalogue }) => {
      const whole = catalogue.versions().filter(({ hash }) => catalogue.isComplete(hash));
      expect(whole.length).toBeLessThan(2);
    });
  });

  test.each(['d', 'm'] as const)('what a damaged pack of kind %s held comes again from a remote', async (kind) => {
    const copy = await new World().copy('ada');
    await copy.put(rows(0, 200));
    await copy.push();
    const [path] = packsOf(copy, kind) as [string];
    const bytes = readFileSync(path);
    bytes[60] = (bytes[60] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await whatIsWrong(copy)).toContain('a frame is damaged');
    rmSync(path);
    expect((await check(copy, true)).problems).toEqual([]);
    await copy.pull();
    expect(await check(copy)).toMatchObject({ ok: true, versions: 1 });
  });

  test('a rebuild knows every version again, and which are all here', async () => {
    const copy = await project();
    const before = await copy.open(async ({ catalogue }) => catalogue.versions());
    expect((await check(copy, true)).ok).toBe(true);
    await copy.open(async ({ catalogue }) => {
      expect(catalogue.versions()).toEqual(before);
      expect(before.every(({ hash }) => catalogue.isComplete(hash))).toBe(true);
    });
  });
});

describe('a catalogue', () => {
  interface Kept {
    readonly staged: readonly unknown[];
    readonly events: readonly unknown[];
    readonly tags: readonly unknown[];
  }

  const kept = (copy: Copy): Promise<Kept> =>
    copy.open(async ({ catalogue, outbox }) => ({
      staged: catalogue.allStaged(),
      events: outbox.list(),
      tags: catalogue.tags(DATASET),
    }));

  async function withEverything(): Promise<Copy> {
    const copy = await project();
    await copy.open(async (repository) =>
      addTag(repository, 'v1', (await headVersion(repository, DATASET)) as Version, false),
    );
    await copy.add(rows(300, 5));
    return copy;
  }

  test('whose index is damaged gives what only it held', async () => {
    const copy = await withEverything();
    const before = await kept(copy);
    expect(before).toMatchObject({ staged: { length: 1 }, events: { length: 2 }, tags: { length: 1 } });
    const db = openDatabase(catalogueOf(copy));
    const { page } = db.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = 'chunks'").get() as {
      page: number;
    };
    const size = Number(db.pragma('page_size', { simple: true }));
    db.close();
    const bytes = readFileSync(catalogueOf(copy));
    bytes.fill(0xa5, (page - 1) * size, page * size);
    writeFileSync(catalogueOf(copy), bytes);

    await expect(copy.commit()).rejects.toMatchObject({ code: 'catalogue-unusable' });
    const aside = setAsideCatalogue(copy.root);
    expect(aside).toMatchObject({ lost: [], path: `${catalogueOf(copy)}.damaged` });
    expect((await check(copy, true)).problems).toEqual([]);
    expect(await kept(copy)).toEqual(before);
    expect(setAsideCatalogue(copy.root)).toBeUndefined();
    await copy.commit();
    expect((await check(copy)).ok).toBe(true);
  });

  test('with a column of another name, which SQLite takes for sound, gives what only it held', async () => {
    const copy = await withEverything();
    const before = await kept(copy);
    const text = readFileSync(catalogueOf(copy), 'latin1');
    const renamed = text.replaceAll(/(?<=CREATE TABLE frames \([^)]*\), )offset/gu, 'offzet');
    expect(renamed).not.toBe(text);
    writeFileSync(catalogueOf(copy), renamed, 'latin1');

    await expect(check(copy)).rejects.toMatchObject({ code: 'catalogue-unusable' });
    expect(setAsideCatalogue(copy.root)).toMatchObject({ lost: [] });
    expect((await check(copy, true)).problems).toEqual([]);
    expect(await kept(copy)).toEqual(before);
  });

  test('that is no database any more is put aside, and the newest version is announced again', async () => {
    const copy = await withEverything();
    const before = await kept(copy);
    writeFileSync(catalogueOf(copy), Buffer.alloc(50_000, 1));
    expect(setAsideCatalogue(copy.root)?.lost).toContain('events');
    expect((await check(copy, true)).problems).toEqual([]);
    const after = await kept(copy);
    expect(after.staged).toEqual([]);
    expect(after.events).toMatchObject([{ event: (before.events[0] as { event: object }).event }]);
    writeFileSync(catalogueOf(copy), Buffer.alloc(50_000, 2));
    expect(setAsideCatalogue(copy.root)?.path).toBe(`${catalogueOf(copy)}.damaged-2`);
  });

  test('that is gone is made anew by the next command; a new project and a fresh clone have lost nothing', async () => {
    const copy = await project();
    const { world } = copy;
    rmSync(catalogueOf(copy));
    world.notes.length = 0;
    expect(await copy.open(async ({ catalogue }) => catalogue.versions().length)).toBe(2);
    expect(world.notes.join()).toContain('the catalogue was lost and was made anew from the packs: 2 versions');

    world.notes.length = 0;
    await (await world.copy('eve')).open(async () => undefined);
    await world.clone(copy, 'bob').open(async () => undefined);
    expect(world.notes).toEqual([]);
  });
});

describe('other files', () => {
  test('a pointer that is not that of its version, or names none that can be had, is found', async () => {
    const copy = await project();
    const path = join(copy.root, 'manifests', `${DATASET}.json`);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"updated": "2026/u, '"updated": "2025'));
    expect(await whatIsWrong(copy)).toContain('is not the pointer of the version that it names');
    writeFileSync(path, text.replace(/"version": "..../u, '"version": "0000'));
    expect(await whatIsWrong(copy)).toContain('is not here, and there is no remote');
    writeFileSync(path, text.replace('"records"', '"recorbs"'));
    expect(await whatIsWrong(copy)).not.toBe('');
  });

  test('G2: a staged file that is cut, changed or gone is found, and never used', async () => {
    const copy = await project();
    await copy.add(rows(300, 5));
    const folder = join(copy.root, '.uttr', 'staged');
    const path = join(folder, readdirSync(folder)[0] as string);
    const whole = readFileSync(path);
    expect((await check(copy)).ok).toBe(true);
    truncateSync(path, whole.lastIndexOf(10, whole.length - 2) + 1);
    expect(await whatIsWrong(copy)).toContain('has other bytes than were written');
    for (let bit = 0; bit < whole.length * 8; bit += 97) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(path, damaged);
      expect(await copy.open((repository) => problemsOfStaged(repository))).toHaveLength(1);
    }
    await expect(copy.commit()).rejects.toMatchObject({ code: 'bad-checksum' });
    await expect(copy.add(rows(400, 5))).rejects.toMatchObject({ code: 'bad-checksum' });
    renameSync(path, `${path}.away`);
    expect(await whatIsWrong(copy)).toContain('is not there any more');
  });

  test('what dead commands left over an hour ago is removed, and nothing else', async () => {
    const copy = await project();
    await copy.add(rows(300, 5));
    const staged = join(copy.root, '.uttr', 'staged');
    const [known] = readdirSync(staged) as [string];
    const dead = 2 ** 22 + 1;
    const old = ['sort-' + String(dead) + '-abc', 'support-OLD.staged', 'merge-OLD.lines', known];
    const young = [`sort-${dead}-young`, 'support-YOUNG.staged', `sort-${process.pid}-alive`];
    for (const name of [...old, ...young]) {
      if (name.startsWith('sort-')) mkdirSync(join(staged, name));
      else if (name !== known) writeFileSync(join(staged, name), 'x');
    }
    const temporary = [copy.root, join(copy.root, 'manifests'), join(copy.root, '.uttr', 'packs', 'd')].map((folder) =>
      join(folder, `.uttr-tmp-${dead}-0123456789abcdef`),
    );
    for (const path of temporary) writeFileSync(path, 'x');
    const aged = [...temporary, ...[...old, young[2] as string].map((name) => join(staged, name))];
    // The clock of the world stands in January 2026, files are of today.
    const age = new Date(copy.world.clock.now().getTime() - 2 * STALE_TEMP_MS);
    for (const path of aged) utimesSync(path, age, age);
    expect((await check(copy)).ok).toBe(true);
    expect(copy.world.notes.join()).toContain('removed 6 files');
    expect(readdirSync(staged).sort()).toEqual([known, ...young].sort());
  });

  test('segments that no index of texts is made of are removed after an hour, those of an index are not', async () => {
    const copy = await project();
    const folder = join(copy.root, '.uttr', 'similar');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const index = { 'support.json': '{"segments":[{"file":"support-A.trigrams"}]}', 'broken.json': '{' };
    for (const [name, text] of Object.entries(index)) writeFileSync(join(folder, name), text);
    const age = new Date(copy.world.clock.now().getTime() - 2 * STALE_TEMP_MS);
    for (const name of ['support-A.trigrams', 'support-B.trigrams', 'broken-C.trigrams']) {
      writeFileSync(join(folder, name), 'x');
      utimesSync(join(folder, name), age, age);
    }
    writeFileSync(join(folder, 'support-YOUNG.trigrams'), 'x');
    expect((await check(copy)).ok).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(
      [...Object.keys(index), 'support-A.trigrams', 'support-YOUNG.trigrams'].sort(),
    );
  });
});
