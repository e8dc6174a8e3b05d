import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlobStore } from '../../src/store/blob-store.ts';

/** Writers that race for one name. */
const RACERS = 16;

const bytesOf = (text: string): Buffer => Buffer.from(text);

/**
 * Runs the whole contract of BlobStore; an implementation may skip a clause only by saying why.
 *
 * @param open opens an empty store; called once a clause.
 * @param skipped titles of clauses to the reason.
 */
export function describeBlobStore(
  name: string,
  open: () => Promise<BlobStore>,
  skipped: Readonly<Record<string, string>> = {},
): void {
  describe(`BlobStore contract: ${name}`, () => {
    let store: BlobStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store.close();
    });
    const clause = (title: string, check: () => Promise<void>): void => {
      const reason = skipped[title];
      test(reason === undefined ? title : `${title} (skipped: ${reason})`, { skip: reason !== undefined }, check);
    };
    describeBytes(clause, () => store);
    describeNames(clause, () => store);
    describeLists(clause, () => store);
    describeConditions(clause, () => store);
    describeSignals(clause, () => store);
  });
}

type Clause = (title: string, check: () => Promise<void>) => void;

function describeBytes(clause: Clause, store: () => BlobStore): void {
  clause('get returns the bytes that were put', async () => {
    await store().put('packs/d/one', bytesOf('hello'));
    expect(await store().get('packs/d/one')).toEqual(bytesOf('hello'));
    expect(await store().stat('packs/d/one')).toEqual({ name: 'packs/d/one', sizeBytes: 5 });
  });

  clause('get of an absent blob fails with blob-not-found', async () => {
    await store().put('absent-not', bytesOf('x'));
    for (const name of ['absent', 'folder/absent', 'absent-not/below']) {
      await expect(store().get(name)).rejects.toMatchObject({ code: 'blob-not-found' });
      await expect(store().get(name, { start: 0, end: 1 })).rejects.toMatchObject({ code: 'blob-not-found' });
    }
  });

  clause('read and stat of an absent blob give undefined', async () => {
    expect(await store().read('absent')).toBeUndefined();
    expect(await store().stat('absent')).toBeUndefined();
    await store().put('folder/blob', bytesOf('x'));
    expect(await store().read('folder')).toBeUndefined();
    expect(await store().stat('folder')).toBeUndefined();
  });

  clause('an empty blob is a blob', async () => {
    await store().put('empty', new Uint8Array());
    expect(await store().get('empty')).toEqual(Buffer.alloc(0));
    expect(await store().stat('empty')).toEqual({ name: 'empty', sizeBytes: 0 });
    expect((await store().read('empty'))?.bytes).toEqual(Buffer.alloc(0));
    expect(await Array.fromAsync(store().list(''))).toEqual([{ name: 'empty', sizeBytes: 0 }]);
  });

  clause('a blob of 5 MiB comes back whole, and in part', async () => {
    const bytes = randomBytes(5 * 1024 * 1024 + 1);
    await store().put('large', bytes);
    expect((await store().get('large')).equals(bytes)).toBe(true);
    const range = { start: 1024 * 1024 - 7, end: 3 * 1024 * 1024 + 11 };
    expect((await store().get('large', range)).equals(bytes.subarray(range.start, range.end))).toBe(true);
  });

  clause('a range gives the bytes from its start up to, but not including, its end', async () => {
    await store().put('digits', bytesOf('0123456789'));
    for (const [start, end] of [
      [0, 1],
      [0, 10],
      [3, 7],
      [9, 10],
    ] as const) {
      expect((await store().get('digits', { start, end })).toString()).toBe('0123456789'.slice(start, end));
    }
  });

  clause('an empty range within the blob gives no bytes', async () => {
    await store().put('digits', bytesOf('0123456789'));
    expect(await store().get('digits', { start: 4, end: 4 })).toEqual(Buffer.alloc(0));
    expect(await store().get('digits', { start: 10, end: 10 })).toEqual(Buffer.alloc(0));
    await expect(store().get('absent', { start: 0, end: 0 })).rejects.toMatchObject({ code: 'blob-not-found' });
  });

  clause('a range that leaves the blob fails with wrong-answer', async () => {
    await store().put('digits', bytesOf('0123456789'));
    await store().put('empty', new Uint8Array());
    for (const [start, end] of [
      [0, 11],
      [9, 11],
      [10, 11],
      [20, 30],
      [11, 11],
    ] as const) {
      await expect(store().get('digits', { start, end })).rejects.toMatchObject({ code: 'wrong-answer' });
    }
    await expect(store().get('empty', { start: 0, end: 1 })).rejects.toMatchObject({ code: 'wrong-answer' });
  });

  clause('a range that is none is refused as a bug', async () => {
    await store().put('digits', bytesOf('0123456789'));
    for (const [start, end] of [
      [3, 2],
      [-1, 2],
      [0.5, 2],
      [0, Number.NaN],
    ] as const) {
      await expect(store().get('digits', { start, end })).rejects.toMatchObject({ code: 'internal' });
    }
  });

  clause('putting again overwrites, also with fewer bytes', async () => {
    await store().put('blob', bytesOf('a longer text'));
    await store().put('blob', bytesOf('short'));
    expect((await store().get('blob')).toString()).toBe('short');
    await store().put('blob', bytesOf('short'));
    expect(await store().stat('blob')).toEqual({ name: 'blob', sizeBytes: 5 });
  });

  clause('a stored blob does not change with the buffer it was put from or got in', async () => {
    const bytes = bytesOf('original');
    await store().put('blob', bytes);
    bytes.fill(0);
    (await store().get('blob')).fill(1);
    expect((await store().get('blob')).toString()).toBe('original');
  });

  clause('bytes of a view into a larger buffer are stored alone', async () => {
    const view = new Uint8Array(bytesOf('--middle--').buffer, bytesOf('').byteOffset, 0);
    await store().put('nothing', view);
    await store().put('blob', bytesOf('--middle--').subarray(2, 8));
    expect((await store().get('blob')).toString()).toBe('middle');
    expect(await store().stat('nothing')).toEqual({ name: 'nothing', sizeBytes: 0 });
  });

  clause('delete removes, and removing an absent blob does nothing', async () => {
    await store().put('folder/a', bytesOf('x'));
    await store().put('folder/b', bytesOf('x'));
    await store().delete('folder/a');
    await store().delete('folder/a');
    await store().delete('never/was');
    await store().delete('folder');
    expect(await store().stat('folder/a')).toBeUndefined();
    expect(await Array.fromAsync(store().list(''), (stat) => stat.name)).toEqual(['folder/b']);
    await store().put('folder/a', bytesOf('again'));
    expect((await store().get('folder/a')).toString()).toBe('again');
  });
}

function describeNames(clause: Clause, store: () => BlobStore): void {
  clause('names may hold blanks and signs', async () => {
    const names = [
      'plain',
      'with blank',
      'a+b',
      'a%20b',
      'a&b=c?d#e',
      "it's (a) [name] {x} !*$@,;:~^`|",
      'heads/s u/feature+x%2Fy',
      '.hidden/..a/a..',
      '<tag attr="v">',
      'long/'.repeat(20) + 'x'.repeat(255),
    ];
    for (const name of names) await store().put(name, bytesOf(name));
    for (const name of names) {
      expect((await store().get(name)).toString()).toBe(name);
      expect(await store().stat(name)).toEqual({ name, sizeBytes: name.length });
    }
    expect(await Array.fromAsync(store().list(''), (stat) => stat.name)).toEqual([...names].sort());
    expect(await Array.fromAsync(store().list('a+'), (stat) => stat.name)).toEqual(['a+b']);
    expect(await Array.fromAsync(store().list('with b'), (stat) => stat.name)).toEqual(['with blank']);
  });

  clause('names that could lead elsewhere are refused with bad-option by every method', async () => {
    const bad = [
      '',
      '/',
      '/etc/passwd',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      'a/..',
      'a\\b',
      'a\0b',
      'a\nb',
      'ä',
      '\u{1F600}',
      '.uttr-lock',
      'a/.uttr-tmp-1-0',
      'x'.repeat(256),
      'x/'.repeat(512) + 'x',
    ];
    for (const name of bad) {
      const code = { code: 'bad-option' };
      await expect(store().put(name, bytesOf('x'))).rejects.toMatchObject(code);
      await expect(store().create(name, bytesOf('x'))).rejects.toMatchObject(code);
      await expect(store().replace(name, undefined, bytesOf('x'))).rejects.toMatchObject(code);
      await expect(store().get(name)).rejects.toMatchObject(code);
      await expect(store().read(name)).rejects.toMatchObject(code);
      await expect(store().stat(name)).rejects.toMatchObject(code);
      await expect(store().delete(name)).rejects.toMatchObject(code);
    }
    for (const prefix of ['/', '../', 'a//', 'ä', 'a/../b']) {
      await expect(Array.fromAsync(store().list(prefix))).rejects.toMatchObject({ code: 'bad-option' });
    }
    expect(await Array.fromAsync(store().list(''))).toEqual([]);
  });
}

function describeLists(clause: Clause, store: () => BlobStore): void {
  clause('a store without blobs lists nothing', async () => {
    expect(await Array.fromAsync(store().list(''))).toEqual([]);
    expect(await Array.fromAsync(store().list('packs/d/'))).toEqual([]);
  });

  clause('list is ascending and limited to the prefix', async () => {
    for (const blob of ['p/b', 'q/a', 'p/a', 'pa/x', 'p-/a', 'p.c']) await store().put(blob, bytesOf('1'));
    const names = async (prefix: string): Promise<string[]> =>
      Array.fromAsync(store().list(prefix), (stat) => stat.name);
    expect(await names('p/')).toEqual(['p/a', 'p/b']);
    expect(await names('p')).toEqual(['p-/a', 'p.c', 'p/a', 'p/b', 'pa/x']);
    expect(await names('p/a')).toEqual(['p/a']);
    expect(await names('')).toEqual(['p-/a', 'p.c', 'p/a', 'p/b', 'pa/x', 'q/a']);
    expect(await names('p/a/')).toEqual([]);
    expect(await names('z')).toEqual([]);
  });

  clause('list goes in the order of bytes through folders and files', async () => {
    const blobs = ['a', 'a!', 'a-b', 'a.b', 'b/c/d', 'b/c-/d', 'b/c.', 'b0', 'B', '~', '0', 'b-'];
    for (const blob of blobs) await store().put(blob, bytesOf(blob));
    const expected = [...blobs].sort((left, right) => Buffer.compare(bytesOf(left), bytesOf(right)));
    expect(await Array.fromAsync(store().list(''), (stat) => stat.name)).toEqual(expected);
  });

  clause('a list of 1,100 blobs is complete', async () => {
    const names = Array.from({ length: 1100 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    for (let start = 0; start < names.length; start += 50) {
      await Promise.all(names.slice(start, start + 50).map(async (name) => store().put(name, bytesOf(name))));
    }
    await store().put('other', bytesOf('x'));
    expect(await Array.fromAsync(store().list('many/'), (stat) => stat.name)).toEqual(names);
  });

  clause('a list may be left early', async () => {
    for (const blob of ['a', 'b', 'c']) await store().put(blob, bytesOf('1'));
    for await (const stat of store().list('')) {
      expect(stat.name).toBe('a');
      break;
    }
  });

  clause('a blob may be removed while the list that names it runs', async () => {
    for (const blob of ['a', 'b', 'c']) await store().put(blob, bytesOf('1'));
    const seen: string[] = [];
    for await (const { name } of store().list('')) {
      seen.push(name);
      await store().delete(name);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(await Array.fromAsync(store().list(''))).toEqual([]);
  });
}

function describeConditions(clause: Clause, store: () => BlobStore): void {
  clause('create writes once', async () => {
    expect(await store().create('log/1', bytesOf('first'))).toBe(true);
    expect(await store().create('log/1', bytesOf('second'))).toBe(false);
    expect((await store().get('log/1')).toString()).toBe('first');
    await store().delete('log/1');
    expect(await store().create('log/1', bytesOf('third'))).toBe(true);
  });

  clause('replace moves a head from tag to tag', async () => {
    const first = await store().replace('heads/s/main', undefined, bytesOf('one'));
    expect(await store().read('heads/s/main')).toEqual({ bytes: bytesOf('one'), tag: first });
    const second = await store().replace('heads/s/main', first, bytesOf('two'));
    expect(second).not.toBe(first);
    expect(await store().read('heads/s/main')).toEqual({ bytes: bytesOf('two'), tag: second });
  });

  clause('replace with an old tag, or none, fails with head-moved and changes nothing', async () => {
    const first = await store().replace('head', undefined, bytesOf('one'));
    const second = await store().replace('head', first, bytesOf('two'));
    for (const stale of [first, undefined, 'never-a-tag']) {
      await expect(store().replace('head', stale, bytesOf('three'))).rejects.toMatchObject({ code: 'head-moved' });
    }
    expect(await store().read('head')).toEqual({ bytes: bytesOf('two'), tag: second });
  });

  clause('replace of an absent head by tag fails with head-moved', async () => {
    const tag = await store().replace('head', undefined, bytesOf('one'));
    await store().delete('head');
    await expect(store().replace('head', tag, bytesOf('two'))).rejects.toMatchObject({ code: 'head-moved' });
    expect(await store().read('head')).toBeUndefined();
  });

  clause('create and replace see each other', async () => {
    const tag = await store().replace('head', undefined, bytesOf('one'));
    expect(await store().create('head', bytesOf('two'))).toBe(false);
    await store().create('other', bytesOf('three'));
    await expect(store().replace('other', undefined, bytesOf('four'))).rejects.toMatchObject({ code: 'head-moved' });
    const other = await store().read('other');
    await store().replace('other', other?.tag, bytesOf('five'));
    expect((await store().read('head'))?.tag).toBe(tag);
    expect((await store().get('other')).toString()).toBe('five');
  });

  clause('of 16 that create one blob at once, exactly one does', async () => {
    const wrote = await Promise.all(
      Array.from({ length: RACERS }, async (_, racer) => store().create('raced', bytesOf(`racer ${racer}`))),
    );
    expect(wrote.filter(Boolean)).toHaveLength(1);
    expect((await store().get('raced')).toString()).toBe(`racer ${wrote.indexOf(true)}`);
  });

  clause('of 16 that move one head at once, exactly one does', async () => {
    let tag: string | undefined;
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.allSettled(
        Array.from({ length: RACERS }, async (_, racer) =>
          store().replace('heads/raced', tag, bytesOf(`round ${round} racer ${racer}`)),
        ),
      );
      const winners = results.flatMap((result, racer) => (result.status === 'fulfilled' ? [racer] : []));
      const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      expect(winners).toHaveLength(1);
      for (const loser of losers) expect(loser).toMatchObject({ code: 'head-moved' });
      const head = await store().read('heads/raced');
      expect(head?.bytes.toString()).toBe(`round ${round} racer ${winners[0]}`);
      tag = head?.tag;
    }
  });

  clause('16 writers that retry all get their turn', async () => {
    const add = async (line: string): Promise<void> => {
      for (;;) {
        const head = await store().read('counter');
        const next = Buffer.concat([head?.bytes ?? Buffer.alloc(0), bytesOf(`${line}\n`)]);
        try {
          await store().replace('counter', head?.tag, next);
          return;
        } catch (error) {
          expect(error).toMatchObject({ code: 'head-moved' });
        }
      }
    };
    const lines = Array.from({ length: RACERS }, (_, writer) => `writer ${writer}`);
    await Promise.all(lines.map(add));
    const written = (await store().get('counter')).toString().trimEnd().split('\n');
    expect(written.sort()).toEqual(lines.sort());
  });

  clause('readers see the old or the new head, never a part', async () => {
    const states = Array.from({ length: 12 }, (_, index) => String(index).repeat(2000 * (1 + (index % 3))));
    let tag = await store().replace('head', undefined, bytesOf(states[0] ?? ''));
    const done = new AbortController();
    const seen = new Set<string>();
    const reader = (async () => {
      while (!done.signal.aborted) seen.add((await store().get('head')).toString());
    })();
    for (const state of states.slice(1)) tag = await store().replace('head', tag, bytesOf(state));
    done.abort();
    await reader;
    for (const text of seen) expect(states).toContain(text);
  });
}

function describeSignals(clause: Clause, store: () => BlobStore): void {
  clause('a call whose signal has fired does nothing and fails with aborted', async () => {
    await store().put('blob', bytesOf('kept'));
    const options = { signal: AbortSignal.abort() };
    const aborted = { code: 'aborted' };
    await expect(store().put('blob', bytesOf('new'), options)).rejects.toMatchObject(aborted);
    await expect(store().create('other', bytesOf('new'), options)).rejects.toMatchObject(aborted);
    await expect(store().replace('other', undefined, bytesOf('new'), options)).rejects.toMatchObject(aborted);
    await expect(store().get('blob', undefined, options)).rejects.toMatchObject(aborted);
    await expect(store().read('blob', options)).rejects.toMatchObject(aborted);
    await expect(store().stat('blob', options)).rejects.toMatchObject(aborted);
    await expect(Array.fromAsync(store().list('', options))).rejects.toMatchObject(aborted);
    await expect(store().delete('blob', options)).rejects.toMatchObject(aborted);
    expect(await Array.fromAsync(store().list(''))).toEqual([{ name: 'blob', sizeBytes: 4 }]);
    expect((await store().get('blob')).toString()).toBe('kept');
  });

  clause('a signal that fires during a list ends it with aborted', async () => {
    for (const blob of ['a/1', 'b/1', 'c/1', 'd/1']) await store().put(blob, bytesOf('1'));
    const control = new AbortController();
    const listing = async (): Promise<void> => {
      for await (const stat of store().list('', { signal: control.signal })) {
        expect(stat.name).not.toBe('d/1');
        control.abort();
      }
    };
    await expect(listing()).rejects.toMatchObject({ code: 'aborted' });
  });

  clause('a signal that fires during put leaves the old blob or the new one', async () => {
    const old = randomBytes(300_000);
    const next = randomBytes(400_000);
    await store().put('blob', old);
    const control = new AbortController();
    const put = store().put('blob', next, { signal: control.signal });
    control.abort();
    const failed = await put.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed !== undefined) expect(failed).toMatchObject({ code: 'aborted' });
    const bytes = await store().get('blob');
    expect(bytes.equals(next) || (failed !== undefined && bytes.equals(old))).toBe(true);
  });
}
