import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  assert,
  type ErrorCode,
  ERROR_KINDS,
  EXIT_CODES,
  isUttrError,
  throwIfAborted,
  UttrError,
} from '../../src/base/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** The rows of the page's tables, as lists of cells. */
function rows(first: RegExp): string[][] {
  return page
    .split('\n')
    .filter((line) => first.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('docs/errors.md', () => {
  test('explains every code, and no other, in alphabetical order', () => {
    const documented = rows(/^\| `/u).map(([code]) => (code as string).replaceAll('`', ''));
    expect(documented).toEqual(Object.keys(ERROR_KINDS).sort());
  });

  test.each(rows(/^\| `/u))(
    'gives %s its kind and exit code, a cause and a remedy',
    (code, kind, exit, cause, remedy) => {
      const expected = ERROR_KINDS[code?.replaceAll('`', '') as ErrorCode];
      expect([kind, exit]).toEqual([expected, String(EXIT_CODES[expected])]);
      expect(cause).toMatch(/^[A-Z`].{10,}\.$/u);
      expect(remedy).toMatch(/.{10,}[.`]$/u);
    },
  );

  test('names only commands that there are', () => {
    const folder = new URL('../../src/cli/commands/', import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const isCommand = (name: string): boolean => sources.some((source) => source.includes(`.command('${name}'`));
    const named = [...page.matchAll(/`uttr ([a-z]+)/gu)].map(([, command]) => command as string);
    const missing = named.filter((name) => !isCommand(name));
    expect(missing).toEqual([]);
  });

  test('gives every kind its exit code', () => {
    const kinds = rows(/^\| [a-z]+ \|.*\| \d+ \|$/u).map(([kind, , exit]) => [kind, Number(exit)]);
    expect(Object.fromEntries(kinds)).toEqual(EXIT_CODES);
  });
});

describe('ERROR_KINDS', () => {
  test('codes are listed in alphabetical order, in words joined by hyphens', () => {
    const codes = Object.keys(ERROR_KINDS);
    expect(codes).toEqual(codes.toSorted());
    for (const code of codes) expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/u);
  });

  test('no kind has the exit code of success, of "the answer is no", or of another kind', () => {
    const exits = Object.values(EXIT_CODES);
    expect(new Set([0, 1, ...exits]).size).toBe(exits.length + 2);
  });
});

describe('UttrError', () => {
  test('has the kind and exit code of its code, and keeps what it was given', () => {
    const cause = new Error('disk');
    const error = new UttrError('bad-row', 'a.csv:2: "intent" is empty', {
      details: { row: 2 },
      hint: 'fill it',
      cause,
    });
    expect(error).toMatchObject({
      name: 'UttrError',
      code: 'bad-row',
      kind: 'rejected',
      exitCode: 3,
      details: { row: 2 },
      hint: 'fill it',
      cause,
    });
    expect(new UttrError('internal', 'x')).toMatchObject({ details: {}, hint: undefined, exitCode: 70 });
  });

  test('is told from other errors, and by its code', () => {
    const error = new UttrError('bad-row', 'x');
    expect(isUttrError(error)).toBe(true);
    expect(isUttrError(error, 'bad-pack', 'bad-row')).toBe(true);
    expect(isUttrError(error, 'bad-pack')).toBe(false);
    expect(isUttrError(new Error('bad-row'))).toBe(false);
  });
});

test('a signal that has fired ends long work, one that has not does not', () => {
  expect(() => throwIfAborted(AbortSignal.abort())).toThrow(
    expect.objectContaining({ code: 'aborted', exitCode: 130 }),
  );
  expect(() => {
    throwIfAborted(new AbortController().signal);
    throwIfAborted(undefined);
  }).not.toThrow();
});

test('an assertion that fails is an internal error that names the claim', () => {
  expect(() => assert(false, 'sides are known')).toThrow(
    expect.objectContaining({ code: 'internal', message: 'assertion failed: sides are known' }),
  );
  expect(() => assert(true, 'sides are known')).not.toThrow();
});
