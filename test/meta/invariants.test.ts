/**
 * Invariants are declared in module headers (` * T1  Each …`). Each must be held by a test whose title begins or ends
 * with its number (`T1: …`, `T1, T4: …`, `… (T1)`) and be stated on one of the pages that describe the system.
 */
import { expect, test } from 'vitest';
import { projectFile, projectFileIfAny, projectFiles } from './project-files.ts';

const PAGES = ['docs/format.md', 'docs/architecture.md', 'docs/reliability.md'];

/** Number to the module that declares it. */
const declared = new Map<string, string>();
const declaredTwice: string[] = [];
for (const path of projectFiles('src/**/*.ts')) {
  for (const [, number] of projectFile(path).matchAll(/^ \* ([A-Z]\d {2}|[A-Z]\d\d {1,2})(?=\S)/gmu)) {
    const name = (number as string).trim();
    if (declared.has(name)) declaredTwice.push(`${name}: ${declared.get(name)} and ${path}`);
    declared.set(name, path);
  }
}

/** The declared numbers that are not in `found`, each with its module. */
function missing(found: ReadonlySet<string | undefined>): string[] {
  return [...declared].filter(([number]) => !found.has(number)).map(([number, path]) => `${number} (${path})`);
}

test('invariants are found, and no number is given twice', () => {
  expect(declared.size).toBeGreaterThan(50);
  expect(declaredTwice).toEqual([]);
});

test('every invariant is held by a test whose title begins or ends with its number', () => {
  const held = new Set<string>();
  const lists = [/['"`]((?:[A-Z]\d{1,2}(?:, | and )?)+):/gu, /\(((?:[A-Z]\d{1,2}(?:, | and )?)+)\)['"`]/gu];
  for (const path of projectFiles('test/**/*.test.ts')) {
    for (const [, numbers] of lists.flatMap((list) => [...projectFile(path).matchAll(list)])) {
      for (const number of (numbers as string).split(/, | and /u)) held.add(number);
    }
  }
  expect(missing(held)).toEqual([]);
});

test('every invariant is stated on a page, at the start of a line, a list item or a row', () => {
  const stated = new Set(
    PAGES.map((page) => projectFileIfAny(page)).flatMap((text) =>
      [...text.matchAll(/^[-| ]*(?:\*\*|`)?([A-Z]\d{1,2})(?:\*\*|`)?(?=[ |:.])/gmu)].map(([, number]) => number),
    ),
  );
  expect(missing(stated)).toEqual([]);
});

test('comments and pages cite only invariants that are declared', () => {
  const series = new Set([...declared.keys()].map((number) => number.charAt(0)));
  const unknown: string[] = [];
  for (const path of projectFiles('src/**/*.ts')) {
    for (const [, number] of projectFile(path).matchAll(/\(([A-Z]\d{1,2})\)/gu)) {
      const name = number as string;
      if (series.has(name.charAt(0)) && !declared.has(name)) unknown.push(`${name} in ${path}`);
    }
  }
  expect(unknown).toEqual([]);
});
