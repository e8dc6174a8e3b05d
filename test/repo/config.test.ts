import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { defaultDatasetConfig, parseConfig } from '../../src/repo/config.ts';

const problemsOf = (value: unknown): unknown => {
  try {
    parseConfig(JSON.stringify(value));
  } catch (error) {
    if (isUttrError(error, 'bad-config')) return error.details['problems'];
    throw error;
  }
  return [];
};

describe('parseConfig', () => {
  test('fills in what a dataset leaves out', () => {
    const { datasets, remotes } = parseConfig('{"uttr":1,"datasets":{"support":{}}}');
    expect(remotes).toEqual({});
    expect(datasets['support']).toMatchObject({
      identity: [],
      split: { method: 'sticky', sides: { train: 0.75, test: 0.25 }, salt: 'support', stratify: ['intent'] },
    });
    expect(parseConfig(JSON.stringify({ uttr: 1, datasets: { support: defaultDatasetConfig('support') } }))).toEqual(
      parseConfig('{"uttr":1,"datasets":{"support":{}}}'),
    );
  });

  test('tells every problem with its path, and what was meant', () => {
    expect(
      problemsOf({
        uttr: 1,
        remote: {},
        remotes: { 'a b': { url: 7, endpont: 'x' }, origin: {} },
        datasets: {
          '../x': {},
          support: {
            identities: [],
            identity: 'features.role',
            split: { method: 'random', salt: 5, sides: { train: '75 %', test: 0.5 }, stratify: ['colour'] },
          },
        },
      }),
    ).toMatchInlineSnapshot(`
      [
        "unknown key "remote" (did you mean "remotes"?)",
        "remotes.a b: a remote's name has letters, digits, - and _",
        "unknown key "remotes.a b.endpont" (did you mean "endpoint"?)",
        "remotes.a b.url must be a string",
        "remotes.origin.url is missing",
        "datasets.../x: "../x" is no name for a dataset: it must start with a letter or a digit",
        "unknown key "datasets.support.identities" (did you mean "identity"?)",
        "datasets.support.identity must be a list",
        "datasets.support.split.method must be "sticky" or "hash"",
        "datasets.support.split.salt must be a string",
        "datasets.support.split.sides.train must be a number",
      ]
    `);
  });

  test('refuses what is no object', () => {
    expect(problemsOf([])).toContain('the file must be an object');
    expect(problemsOf({ uttr: 1, datasets: [] })).toEqual(['datasets must be an object']);
    expect(problemsOf({ uttr: 1, datasets: { support: null } })).toEqual(['datasets.support must be an object']);
    expect(problemsOf({ uttr: 'one' })).toEqual(['"uttr" must be 1']);
  });

  test('knows no dataset or remote that every object seems to have', () => {
    const config = parseConfig('{"uttr":1}');
    expect(config.datasets['toString']).toBeUndefined();
    expect(config.remotes['constructor']).toBeUndefined();
  });

  test('passes over the mark of Windows editors, and tells where JSON breaks', () => {
    expect(parseConfig('\uFEFF{"uttr":1}').datasets).toEqual({});
    expect(() => parseConfig('{"uttr":1,}')).toThrow(/^uttr\.json is not JSON: .*position 10/u);
  });

  test('refuses a newer format before all else', () => {
    expect(() => parseConfig('{"uttr":2,"new key":1}')).toThrow(expect.objectContaining({ code: 'format-too-new' }));
  });
});
