import { matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import config from '../../vitest.config.ts';
import { projectFile, projectFiles } from './project-files.ts';

interface Project {
  readonly test: { readonly name: string; readonly include: readonly string[]; readonly exclude?: readonly string[] };
}

const projects = (config.test?.projects ?? []) as unknown as readonly Project[];

function projectsOf(path: string): string[] {
  const fits = (globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(path, glob));
  return projects
    .filter(({ test: { include, exclude } }) => fits(include) && !fits(exclude ?? []))
    .map(({ test: { name } }) => name);
}

test('every test file is run by exactly one project', () => {
  const files = projectFiles('test/**/*.test.ts');
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((path) => projectsOf(path).length !== 1).map((path) => [path, projectsOf(path)])).toEqual([]);
});

test('tests of properties are in files of properties, so that their time limit is theirs', () => {
  const wrong = projectFiles('test/**/*.test.ts').filter(
    (path) => path.endsWith('.prop.test.ts') && !/from 'fast-check'/u.test(projectFile(path)),
  );
  expect(wrong).toEqual([]);
});

test('no test is left out or run alone', () => {
  // Two halves, or this line would find itself.
  const marks = new RegExp(String.raw`\b(?:test|it|describe)\.(?:on` + String.raw`ly|to` + String.raw`do)\b`, 'u');
  expect(projectFiles('test/**/*.ts').filter((path) => marks.test(projectFile(path)))).toEqual([]);
});

test('every folder of test that mirrors src names a folder of src', () => {
  const others = new Set(['compat', 'contract', 'crash', 'docs', 'doubles', 'examples', 'golden', 'meta', 'scripts']);
  const sources = new Set(projectFiles('src/*/**/*.ts').map((path) => path.split('/')[1]));
  const folders = new Set(projectFiles('test/*/**/*.ts').map((path) => path.split('/')[1] as string));
  expect([...folders].filter((folder) => !sources.has(folder) && !others.has(folder))).toEqual([]);
});
