import { expect, test } from 'vitest';
import { anchors, namedCommands, namedFiles, parsePage, relativeLinks } from '../../../scripts/check-docs/markdown.ts';

const PAGE = [
  '# The page, and `more`',
  'See [the format](format.md#1-records), [the web](https://example.org/) and `[no](link.md)`.',
  'Run `uttr add support batch.csv`, or `uttr --help`.',
  '```console',
  '$ uttr log support',
  'uttr is not a command here',
  '```',
  '```text',
  'uttr draws [this](nowhere.md)',
  '```',
  '## Twice',
  '## Twice',
].join('\n');

test('links are found in prose, not in code, and those to the web are left alone', () => {
  expect(relativeLinks(parsePage(PAGE))).toEqual([{ line: 2, text: 'format.md#1-records' }]);
});

test('commands are found in inline code and on the command lines of blocks', () => {
  expect(namedCommands(parsePage(PAGE))).toEqual([
    { line: 3, text: 'uttr add support batch.csv' },
    { line: 3, text: 'uttr --help' },
    { line: 5, text: 'uttr log support' },
  ]);
});

test('files of the project are found by their paths, in inline code', () => {
  const page = parsePage('See `src/base/hash.ts` and `test/crash/`, not `a/b.ts` or src/index.ts.');
  expect(namedFiles(page).map(({ text }) => text)).toEqual(['src/base/hash.ts', 'test/crash/']);
});

test('anchors are made as GitHub makes them, and headings of one name are numbered', () => {
  expect([...anchors(parsePage(PAGE))]).toEqual(['the-page-and-more', 'twice', 'twice-1']);
});

test('a block that is never closed is an error with its line', () => {
  expect(() => parsePage('a\n```console\n$ ls')).toThrow('line 2');
});
