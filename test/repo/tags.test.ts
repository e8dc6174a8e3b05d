import { describe, expect, test } from 'vitest';
import { addTag, listTags, removeTag } from '../../src/repo/tags.ts';
import { DATASET, rows, World } from './world.ts';

describe('tags', () => {
  test('take names that are safe everywhere and mean nothing else', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 2));
    const head = await copy.head();
    await copy.open(async (repository) => {
      for (const name of ['v1.0', 'release/2026-11', 'A_b']) addTag(repository, name, head, false);
      for (const name of [
        '',
        'HEAD',
        'HEAD~1',
        'abcdef',
        '-x',
        'a b',
        'a..b',
        'a@b',
        'git:x',
        'x'.repeat(101),
        'a\nb',
      ]) {
        expect(() => addTag(repository, name, head, true)).toThrow(expect.objectContaining({ code: 'bad-tag-name' }));
      }
      expect(
        listTags(repository, DATASET)
          .map(({ name }) => name)
          .sort(),
      ).toEqual(['A_b', 'release/2026-11', 'v1.0']);
    });
  });

  test('do not move by accident', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 2));
    const first = await copy.head();
    await copy.put(rows(2, 2));
    const second = await copy.head();
    await copy.open(async (repository) => {
      addTag(repository, 'v1', first, false);
      addTag(repository, 'v1', first, false);
      expect(() => addTag(repository, 'v1', second, false)).toThrow(expect.objectContaining({ code: 'tag-exists' }));
      addTag(repository, 'v1', second, true);
      expect(listTags(repository, DATASET)).toEqual([{ name: 'v1', version: second.hash }]);
      removeTag(repository, DATASET, 'v1');
      expect(listTags(repository, DATASET)).toEqual([]);
      expect(() => removeTag(repository, DATASET, 'v1')).toThrow(expect.objectContaining({ code: 'unknown-version' }));
    });
  });
});
