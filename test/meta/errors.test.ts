/** Error codes are an interface: none is there that nothing throws. That each is explained, test/base holds. */
import { expect, test } from 'vitest';
import { ERROR_KINDS } from '../../src/base/errors.ts';
import { projectFile, projectFiles } from './project-files.ts';

const CODES = Object.keys(ERROR_KINDS);

test('every code is thrown somewhere', () => {
  const thrown = new Set<string>();
  for (const path of projectFiles('src/**/*.ts')) {
    // In the module of the codes every one stands once for its kind.
    const pattern = path === 'src/base/errors.ts' ? /new UttrError\('([a-z-]+)'/gu : /'([a-z-]+)'/gu;
    for (const [, word] of projectFile(path).matchAll(pattern)) thrown.add(word as string);
  }
  expect(CODES.filter((code) => !thrown.has(code))).toEqual([]);
});

test('every code is expected by some test', () => {
  const expected = new Set<string>();
  for (const path of projectFiles('test/**/*.ts')) {
    for (const [word] of projectFile(path).matchAll(/[a-z]+(?:-[a-z]+)*/gu)) expected.add(word);
  }
  expect(CODES.filter((code) => !expected.has(code))).toEqual([]);
});
