import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { shortName, sha256, type Hash } from '../../src/base/hash.ts';
import { Catalogue, type PackEntry } from '../../src/catalogue/catalogue.ts';

let catalogue: Catalogue;

beforeEach(() => {
  catalogue = Catalogue.open(':memory:');
  onTestFinished(() => catalogue.close());
});

const chunk = (text: string): Hash => sha256(text);

/** A pack with one frame of the given depth that holds the given chunks, 10 bytes each. */
function pack(name: string, depth: number, chunks: readonly Hash[], dictionary: readonly Hash[] = []): PackEntry {
  return {
    name,
    sizeBytes: 100,
    frames: [
      { offset: 8, storedBytes: 50, rawBytes: 10 * chunks.length, depth, dictionary: dictionary.map(shortName) },
    ],
    chunks: chunks.map((hash, index) => ({ name: shortName(hash), frame: 0, offset: 10 * index, length: 10 })),
  };
}

const add = (...packs: PackEntry[]): void => catalogue.transaction(() => catalogue.addPacks(packs));

describe('the chunk index', () => {
  test('finds a chunk by its whole name and by the first half of it', () => {
    add(pack('packs/d/a', 1, [chunk('one'), chunk('two')], [chunk('base')]));
    const location = {
      frame: {
        pack: 'packs/d/a',
        offset: 8,
        storedBytes: 50,
        rawBytes: 20,
        depth: 1,
        dictionary: [shortName(chunk('base'))],
      },
      offset: 10,
      length: 10,
    };
    expect(catalogue.find(chunk('two'))).toEqual(location);
    expect(catalogue.find(shortName(chunk('two')))).toEqual(location);
    expect(catalogue.has(chunk('two'))).toBe(true);
    expect(catalogue.find(chunk('three'))).toBeUndefined();
    expect(catalogue.has(chunk('three'))).toBe(false);
    expect(catalogue.findMany([chunk('three'), chunk('two')])).toEqual([undefined, location]);
  });

  test('P7: of several places of a chunk the least deep one is kept, in whatever order they come', () => {
    const one = [chunk('one')];
    const [deep, flat, middle] = [pack('packs/d/a', 5, one), pack('packs/d/b', 0, one), pack('packs/d/c', 2, one)];
    add(deep);
    expect(catalogue.find(chunk('one'))?.frame.depth).toBe(5);
    add(middle);
    expect(catalogue.find(chunk('one'))?.frame.pack).toBe('packs/d/c');
    add(flat);
    expect(catalogue.find(chunk('one'))?.frame.pack).toBe('packs/d/b');
    add(pack('packs/d/d', 0, one), pack('packs/d/e', 9, one));
    expect(catalogue.find(chunk('one'))?.frame.pack).toBe('packs/d/b');
  });

  test('a pack is known once, and forgotten with the whole index', () => {
    add(pack('packs/d/a', 0, [chunk('one')]), pack('packs/d/a', 0, [chunk('other')]));
    expect(catalogue.counts()).toEqual({ chunks: 1, packs: 1, versions: 0 });
    expect(catalogue.packs()).toEqual([{ name: 'packs/d/a', sizeBytes: 100 }]);
    expect([catalogue.hasPacks(), catalogue.hasPack('packs/d/a'), catalogue.hasPack('packs/d/b')]).toEqual([
      true,
      true,
      false,
    ]);
    catalogue.addVersion({ hash: chunk('v'), dataset: 'd', time: 't', manifest: 'm' });
    catalogue.setComplete(chunk('v'));
    catalogue.transaction(() => catalogue.clearIndex());
    expect(catalogue.counts()).toEqual({ chunks: 0, packs: 0, versions: 0 });
    expect([catalogue.hasPacks(), catalogue.isComplete(chunk('v'))]).toEqual([false, false]);
  });
});

describe('transactions', () => {
  test('C5: what a transaction has done is there as a whole or not at all', () => {
    const work = (): void => {
      catalogue.addPacks([pack('packs/d/a', 0, [chunk('one')])]);
      catalogue.addVersion({ hash: chunk('v'), dataset: 'd', time: 't', manifest: 'm' });
      catalogue.setPointer({ dataset: 'd', previous: null, version: chunk('v'), text: 'p' });
      throw new Error('stopped');
    };
    expect(() => catalogue.transaction(work)).toThrow('stopped');
    expect(catalogue.counts()).toEqual({ chunks: 0, packs: 0, versions: 0 });
    expect(catalogue.pendingPointers()).toEqual([]);
    expect(catalogue.find(chunk('one'))).toBeUndefined();
  });

  test('C4: a rebuild of the index leaves alone what packs do not hold', () => {
    catalogue.setStaged({ dataset: 'd', file: 'f', summary: '{}' });
    catalogue.setTag('d', 'v1', chunk('v'));
    catalogue.setMerge('d', '{}');
    catalogue.transaction(() => catalogue.clearIndex());
    expect(catalogue.allStaged()).toEqual([{ dataset: 'd', file: 'f', summary: '{}' }]);
    expect(catalogue.tag('d', 'v1')).toBe(chunk('v'));
    expect(catalogue.merge('d')).toBe('{}');
  });
});

describe('versions', () => {
  const version = (name: string, dataset: string, time: string): void =>
    catalogue.addVersion({ hash: chunk(name), dataset, time, manifest: name });

  test('are found by their name, by the beginning of it, and the newest whole ones of a dataset', () => {
    version('a', 'd', '2026-01-01');
    version('b', 'd', '2026-01-03');
    version('c', 'd', '2026-01-02');
    version('x', 'other', '2026-01-04');
    version('a', 'd', 'again');
    for (const name of ['a', 'b', 'x']) catalogue.setComplete(chunk(name));
    expect(catalogue.version(chunk('a'))).toMatchObject({ time: '2026-01-01', manifest: 'a' });
    expect(catalogue.version(chunk('absent'))).toBeUndefined();
    expect(catalogue.versionsByPrefix('d', chunk('b').slice(0, 6), 2)).toEqual([chunk('b')]);
    expect(catalogue.versionsByPrefix('d', '', 10)).toHaveLength(3);
    expect(catalogue.versionsByPrefix('d', chunk('x').slice(0, 6), 2)).toEqual([]);
    expect(catalogue.completeVersions('d', 5)).toEqual([chunk('b'), chunk('a')]);
    expect(catalogue.completeVersions('d', 1)).toEqual([chunk('b')]);
  });
});

describe('remotes', () => {
  test('what is believed of one is forgotten as a whole, and of it alone', () => {
    for (const url of ['one', 'two']) {
      catalogue.remotes.setCapabilities(url, '{}');
      catalogue.remotes.setHead(url, { dataset: 'd', branch: 'main', version: chunk('v'), sequence: 1 });
      catalogue.remotes.addVersion(url, chunk('v'));
      catalogue.remotes.setFooter(url, 'packs/m/a', Buffer.from('footer'));
      catalogue.remotes.addSentPack(url, 'packs/m/b', 7);
    }
    catalogue.remotes.forget('one');
    const believed = (url: string): unknown[] => [
      catalogue.remotes.capabilities(url),
      catalogue.remotes.heads(url, 'd').length,
      catalogue.remotes.hasVersion(url, chunk('v')),
      catalogue.remotes.footer(url, 'packs/m/a')?.toString(),
      catalogue.remotes.sentPacks(url).length,
    ];
    expect(believed('one')).toEqual([undefined, 0, false, undefined, 0]);
    expect(believed('two')).toEqual(['{}', 1, true, 'footer', 1]);
    catalogue.remotes.clearSentPacks('two');
    expect(catalogue.remotes.sentPacks('two')).toEqual([]);
  });
});
