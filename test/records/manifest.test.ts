import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { sha256 } from '../../src/base/hash.ts';
import { contentId, decodeManifest, encodeManifest, type Manifest, sideContentId } from '../../src/records/manifest.ts';
import { decodePointer, encodePointer, pointerOf } from '../../src/records/pointer.ts';
import { goldenFiles } from './golden.ts';

const [empty, first, merged] = goldenFiles('manifest/valid').map(({ text }) => decodeManifest(text)) as [
  Manifest,
  Manifest,
  Manifest,
];

describe('manifests', () => {
  test.each(goldenFiles('manifest/valid'))('R13: $name is read, and written again as it was', ({ text }) => {
    expect(encodeManifest(decodeManifest(text))).toBe(text);
  });

  test.each(goldenFiles('manifest/invalid'))('R13: $name is refused', ({ name, text }) => {
    const code = name.startsWith('too-new') ? 'format-too-new' : 'bad-manifest';
    expect(() => decodeManifest(text)).toThrow(expect.objectContaining({ code, hint: expect.any(String) as string }));
  });

  test('R13: a byte changed anywhere is refused, or is another valid manifest with another name', () => {
    const text = encodeManifest(first);
    for (let at = 0; at < text.length; at += 3) {
      const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
      let read: string;
      try {
        read = encodeManifest(decodeManifest(changed));
      } catch (error) {
        read = (error as { code: string }).code;
      }
      expect([changed, 'bad-manifest']).toContain(read);
    }
  });

  test('a manifest that nobody could read is not written', () => {
    expect(() => encodeManifest({ ...first, crossed: -1 })).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('R14: the content id depends on roots and sides alone', () => {
    const { sides, unlabelled } = merged;
    const reversed = Object.fromEntries(Object.entries(sides).reverse());
    expect(contentId(reversed, { root: unlabelled.root })).toBe(merged.content);
    const roots = { dev: null, test: sides['test']?.root ?? null, train: sides['train']?.root ?? null };
    expect(merged.content).toBe(sha256(canonicalJson({ sides: roots, unlabelled: unlabelled.root })));
    expect(contentId({ ...sides, dev: { root: sha256('x') } }, unlabelled)).not.toBe(merged.content);
    expect(contentId(sides, { root: null })).not.toBe(merged.content);
  });

  test('the content id of a side is its root, and of an empty one the SHA-256 of nothing', () => {
    expect(sideContentId(sha256('x'))).toBe(sha256('x'));
    expect(sideContentId(null)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('pointers', () => {
  const path = 'manifests/support.json';

  test.each(goldenFiles('pointer/valid'))('R15: $name is read, and written again as it was', ({ text }) => {
    expect(encodePointer(decodePointer(text, path))).toBe(text);
  });

  test.each(goldenFiles('pointer/invalid'))('R15: $name is refused', ({ name, text }) => {
    const code = name.startsWith('too-new') ? 'format-too-new' : 'bad-pointer';
    expect(() => decodePointer(text, path)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(path) as string,
        hint: expect.any(String) as string,
      }),
    );
  });

  test('R16: a pointer says what its manifest says, unlabelled records included', () => {
    expect(
      [empty, first, merged].map((manifest) => encodePointer(pointerOf(sha256(encodeManifest(manifest)), manifest))),
    ).toEqual(goldenFiles('pointer/valid').map(({ text }) => text));
    expect(pointerOf(sha256('v'), merged)).toEqual({
      uttr: 1,
      dataset: 'support',
      version: sha256('v'),
      content: merged.content,
      records: 23_703,
      sides: { dev: 0, test: 5925, train: 17_775 },
      updated: '2026-03-02T00:00:00.001Z',
    });
  });

  test('an unfinished merge and line ends of Windows are recognised', () => {
    const message = (name: string): unknown => {
      const { text } = goldenFiles('pointer/invalid').find((file) => file.name === name) as { text: string };
      try {
        return decodePointer(text, path);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message('conflict.json')).toBe('manifests/support.json holds an unfinished merge of git');
    expect(message('windows.json')).toBe('manifests/support.json has line ends of Windows');
  });
});
