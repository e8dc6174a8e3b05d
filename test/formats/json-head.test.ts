import { expect, test } from 'vitest';
import { headPaths } from '../../src/formats/json-head.ts';
import { detectFormat } from '../../src/formats/registry.ts';
import { dataFiles, HAS_DATA, NO_DATA } from './support.ts';

test.each([
  ['', []],
  ['text,intent\n', []],
  ['\ufeff {"a": 1, "b": {"c": ["d", {"e": "f"}]}}', ['a', 'b', 'b.c', 'b.c[]', 'b.c[].e']],
  ['[{"a": []}, {"b": [[{"c": 1}]]}]', ['[]', '[].a', '[].a[]', '[].b', '[].b[]', '[].b[][]', '[].b[][].c']],
  ['{"a\\"b" \n: "x: y", "tail', ['a\\"b']],
  ['{"a": {"b": 1}, "c": 2}', ['a', 'a.b', 'c']],
  ['}]{"a": 1', []],
  [`{"${'k'.repeat(90)}": 1}`, ['k'.repeat(60)]],
])('the keys of %j are %j', (text, paths) => {
  expect([...headPaths(Buffer.from(text))]).toEqual(paths);
});

test('nesting without end gives paths of the first levels only', () => {
  expect([...headPaths(Buffer.from('{"a":'.repeat(10_000)))]).toHaveLength(8);
  expect([...headPaths(Buffer.from('['.repeat(60_000)))]).toHaveLength(8);
});

/** The files of each format that is told by the keys in its head; every other file is of another format. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  luis: [
    'luis-json/HumanResources-entities-batch.json',
    'luis-json/HumanResources.v3.json',
    'luis-json/pizza-with-machine-learned-entity.v6.json',
    'luis-json/tutorial-fix-unsure-predictions.v7.json',
  ],
  clu: ['clu-json/EmailAppDemo.json', 'clu-json/clu_utterances.json'],
  sebischair: ['sebischair/AskUbuntuCorpus.json'],
  nlupp: ['nlupp-multilabel/banking.fold0.json'],
  json: ['clinc150/data_full.json'],
};

test.skipIf(!HAS_DATA)(`each format is sure of its own files only, among all${NO_DATA}`, async () => {
  const found: Record<string, string[]> = { luis: [], clu: [], sebischair: [], nlupp: [], json: [] };
  let count = 0;
  for await (const { path, head } of dataFiles()) {
    count++;
    const name = nameOf(head, path);
    if (name !== 'json' || path.startsWith('clinc150/data')) found[name]?.push(path);
  }
  expect(count).toBeGreaterThan(50);
  expect(found).toEqual(OWN);
});

function nameOf(head: Buffer, path: string): string {
  try {
    return detectFormat(head, path).format.name;
  } catch {
    return 'none';
  }
}
