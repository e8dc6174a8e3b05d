import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { partFor, partsOf, withPart } from '../../../scripts/bench/page.ts';
import { LARGE_PART, VERSUS_PARTS } from '../../../scripts/bench/versus.ts';
import { SCENARIOS } from '../../../scripts/bench/scenarios.ts';

const PAGE = `# Speed

By hand.

<!-- bench import -->

old

<!-- /bench import -->

More by hand.

<!-- bench diff -->
<!-- /bench diff -->
`;

describe('a part of the page', () => {
  test('is replaced, and what stands around it stays', () => {
    expect(withPart(PAGE, 'import', '| new |\n')).toBe(PAGE.replace('\nold\n', '\n| new |\n'));
  });

  test('can be empty before', () => {
    expect(withPart(PAGE, 'diff', 'new')).toContain('<!-- bench diff -->\n\nnew\n\n<!-- /bench diff -->\n');
  });

  test('stays the same when it is written again', () => {
    const once = withPart(PAGE, 'import', 'new');
    expect(withPart(once, 'import', 'new')).toBe(once);
  });

  test('must be there, once, and be closed', () => {
    expect(() => withPart(PAGE, 'push', 'new')).toThrow('needs one part "bench push"');
    expect(() => withPart(PAGE + PAGE, 'diff', 'new')).toThrow('needs one part "bench diff"');
    expect(() => withPart('<!-- bench diff -->\n', 'diff', 'new')).toThrow('needs one part "bench diff"');
  });
});

test('tables of real data have parts of their own', () => {
  expect([partFor('import', false), partFor('import', true)]).toStrictEqual(['import', 'import-real']);
});

test('docs/performance.md has a part for the machine and one for each scenario, and may have one of real data', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'performance.md'), 'utf8');
  const tables = [...SCENARIOS.map(({ name }) => name), ...Object.values(VERSUS_PARTS), LARGE_PART];
  const ofRealData = new Set(tables.map((name) => partFor(name, true)));
  expect(
    partsOf(page)
      .filter((name) => !ofRealData.has(name))
      .toSorted(),
  ).toStrictEqual(['machine', ...tables].toSorted());
});
