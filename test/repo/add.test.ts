import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setCrashHook } from '../../src/base/crash-points.ts';
import { add } from '../../src/repo/add.ts';
import { init } from '../../src/repo/init.ts';
import { Repository } from '../../src/repo/repository.ts';
import { status } from '../../src/repo/status.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const newCopy = (): Promise<Copy> => new World().copy('ada', { remote: false });

const staged = (copy: Copy): string[] => readdirSync(join(copy.root, '.uttr', 'staged'));

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

describe('add', () => {
  test('keeps the fields that a row lacks, and takes those it has', async () => {
    const copy = await newCopy();
    await copy.put([{ text: 'Book a flight', intent: 'book', lang: 'en', features: { role: 'agent', city: 'Rome' } }]);
    const summary = await copy.add([{ text: 'book a FLIGHT', intent: 'book', features: { role: 'user' } }]);
    expect(summary.changes).toEqual({ added: 0, relabelled: 0, updated: 1, removed: 0 });
    await copy.commit();
    const record = await copy.open(async (repository) => {
      const { findRecords } = await import('../../src/repo/query.ts');
      const [first] = (await Array.fromAsync(findRecords(repository, await copy.head()))).flat();
      return JSON.parse(first?.json ?? '') as unknown;
    });
    expect(record).toEqual({
      text: 'Book a flight',
      intent: 'book',
      lang: 'en',
      features: { role: 'user', city: 'Rome' },
    });
  });

  test('cleans texts as the dataset says, counts what each rule did, and leaves them alone where told to', async () => {
    const copy = await newCopy();
    await editConfig(copy.root, (config) => {
      const datasets = config['datasets'] as Record<string, Record<string, unknown>>;
      (datasets[DATASET] as Record<string, unknown>)['clean'] = { stripHtml: true, mask: ['email'], maxCharacters: 20 };
    });
    const batch = [
      { text: '<b>hello</b>', intent: 'a' },
      { text: 'mail ada@example.org', intent: 'b' },
      { text: 'much too long to be an utterance', intent: 'b' },
      { text: 'as it is', intent: 'a' },
    ];
    const untouched = await copy.add(batch, { clean: false, dryRun: true });
    expect([untouched.cleaned, untouched.changes.added]).toEqual([{}, 4]);
    const summary = await copy.add(batch);
    expect(summary.cleaned).toEqual({ stripHtml: 1, 'mask email': 1, maxCharacters: 1 });
    expect(summary.rows).toMatchObject({ read: 4, accepted: 3, rejected: 0 });
    await copy.commit();
    expect(Object.keys(await copy.records()).sort()).toEqual(['as it is', 'hello', 'mail <email>']);
  });

  test('batches that follow each other add up until they are committed', async () => {
    const copy = await newCopy();
    await copy.add(rows(0, 3));
    const second = await copy.add([...rows(2, 2), { text: 'utterance number 0', intent: 'intent 1' }]);
    expect(second.rows).toMatchObject({ read: 3, accepted: 2, duplicate: 1 });
    expect(second.changes).toEqual({ added: 1, relabelled: 1, updated: 0, removed: 0 });
    expect(staged(copy)).toHaveLength(1);
    expect((await copy.commit()).changes).toEqual({ added: 4, relabelled: 0, updated: 0, removed: 0 });
    expect(staged(copy)).toEqual([]);
  });

  test('tells intents apart that are new to the dataset, to the staged rows, or to neither', async () => {
    const copy = await newCopy();
    await copy.put([{ text: 'a', intent: 'one' }]);
    expect((await copy.add([{ text: 'b', intent: ['two', 'one'] }])).newIntents).toEqual(['two']);
    expect((await copy.add([{ text: 'c', intent: 'two' }])).newIntents).toEqual([]);
  });

  test('fields of the identity keep equal texts apart', async () => {
    const copy = await newCopy();
    await editConfig(copy.root, (config) => {
      const datasets = config['datasets'] as Record<string, { identity: string[] }>;
      (datasets[DATASET] as { identity: string[] }).identity = ['features.role'];
    });
    const summary = await copy.add(
      [
        { text: 'hello', intent: 'a', features: { role: 'x' } },
        { text: 'hello', intent: 'b', features: { role: 'y' } },
      ],
      { onConflict: 'error' },
    );
    expect(summary.changes.added).toBe(2);
  });

  test('that another command overtook stages nothing and leaves no file', async () => {
    const copy = await newCopy();
    await copy.add(rows(0, 1));
    const [before] = staged(copy);
    const overtaken = copy.open((repository) => {
      let overtake: Promise<unknown> | undefined;
      async function* slow(): AsyncIterable<Uint8Array> {
        yield Buffer.from('{"text":"late","intent":"x"}\n');
        overtake = copy.add(rows(1, 1));
        await overtake;
      }
      return add(repository, DATASET, [{ kind: 'stream', name: 'late.jsonl', stream: slow() }]);
    });
    await expect(overtaken).rejects.toMatchObject({ code: 'head-moved' });
    expect(staged(copy)).toHaveLength(1);
    expect(staged(copy)).not.toEqual([before]);
    expect((await copy.commit()).changes.added).toBe(2);
  });

  test('whose transaction fails but shows after all has its file', async () => {
    const copy = await newCopy();
    await copy.add(rows(0, 1));
    const adding = copy.open((repository) => {
      const { catalogue } = repository;
      const transaction = catalogue.transaction.bind(catalogue);
      // As SQLite does where the disk fails at the end of a commit.
      catalogue.transaction = (work) => {
        transaction(work);
        throw new Error('fsync failed');
      };
      return add(repository, DATASET, [
        { kind: 'stream', name: 'a.jsonl', stream: once('{"text":"a","intent":"x"}\n') },
      ]);
    });
    await expect(adding).rejects.toThrow('fsync failed');
    expect((await copy.commit()).changes.added).toBe(2);
  });

  test('that fails between its steps leaves what was staged', async () => {
    const copy = await newCopy();
    await copy.add(rows(0, 1));
    const before = staged(copy);
    setCrashHook((point) => {
      if (point === 'staged.written') throw new Error('fault');
    });
    try {
      await expect(copy.add(rows(1, 1))).rejects.toThrow('fault');
    } finally {
      setCrashHook(undefined);
    }
    expect(staged(copy)).toEqual(before);
    expect((await copy.commit()).changes.added).toBe(1);
  });

  test('makes the first dataset of a project in uttr.json, whose other settings stay', async () => {
    const world = new World();
    const root = join(world.root, 'bare');
    await init(root);
    await editConfig(root, (config) => {
      config['$schema'] = './schema.json';
    });
    const repository = await Repository.open(root, { clock: world.clock, random: world.random, environment: {} });
    const stream = once('{"text":"hello","intent":"greet"}\n');
    await add(repository, 'first', [{ kind: 'stream', name: 'a.jsonl', stream }]);
    expect(Object.keys(repository.config.datasets)).toEqual(['first']);
    await repository.close();
    const config = JSON.parse(readFileSync(join(root, 'uttr.json'), 'utf8')) as Record<string, unknown>;
    expect(Object.keys(config)).toEqual(['uttr', 'remotes', 'datasets', '$schema']);
  });
});

describe('add with a rejects file', () => {
  const bad = [{ text: 'fine', intent: 'a' }, { text: '' }];

  test('never replaces a file, be it the batch itself', async () => {
    const copy = await newCopy();
    const path = join(copy.root, 'batch.jsonl');
    writeFileSync(path, bad.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const before = readFileSync(path, 'utf8');
    const adding = copy.open((repository) =>
      add(repository, DATASET, [{ kind: 'file', path, name: 'batch.jsonl' }], { rejects: path }),
    );
    await expect(adding).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('there already'),
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect((await copy.open(status)).datasets[0]?.staged).toBeNull();
  });

  test('says so where its folder is not there', async () => {
    const copy = await newCopy();
    await expect(copy.add(bad, { rejects: join(copy.root, 'nowhere/bad.jsonl') })).rejects.toMatchObject({
      code: 'bad-option',
      message: 'the folder for bad.jsonl does not exist',
    });
  });

  test('leaves no trace of it where the rows cannot be staged', async () => {
    const copy = await newCopy();
    const path = join(copy.root, 'bad.jsonl');
    setCrashHook((point) => {
      if (point === 'staged.written') throw new Error('fault');
    });
    try {
      await expect(copy.add(bad, { rejects: path })).rejects.toThrow('fault');
    } finally {
      setCrashHook(undefined);
    }
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(copy.root).filter((name) => name.includes('tmp'))).toEqual([]);
    await copy.add(bad, { rejects: path });
    expect(readFileSync(path, 'utf8')).toBe('{"uttr_problem":"\\"text\\" is empty","text":""}\n');
  });
});
