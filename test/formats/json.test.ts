import { describe, expect, test } from 'vitest';
import { jsonFormat } from '../../src/formats/json.ts';
import { readAll, shown } from './support.ts';

describe('reading JSON', () => {
  test('a list of objects or pairs gives records with element number and line', async () => {
    const { records, rows, lines } = await readAll(
      jsonFormat,
      '[\n  {"text": "a", "intent": "x"},\n  ["b", "y"], {\n    "text": "c]}\\"",\n    "n": [1, {"m": "{"}]\n  }\n]\n',
    );
    expect(records).toEqual([
      { text: 'a', intent: 'x' },
      { text: 'b', intent: 'y' },
      { text: 'c]}"', meta: { n: [1, { m: '{' }] } },
    ]);
    expect(rows).toEqual([1, 2, 3]);
    expect(lines).toEqual([2, 3, 3]);
  });

  test('an object of lists is read whole, and its keys are the split', async () => {
    const { records, splits, rows, report } = await readAll(
      jsonFormat,
      '{"train": [["a", "x"], ["b", "y"]], "oos_test": [["c", "oos"]], "val": []}',
    );
    expect(records.map((record) => record.text)).toEqual(['a', 'b', 'c']);
    expect(splits).toEqual(['train', 'train', 'oos_test']);
    expect(rows).toEqual([1, 2, 3]);
    expect(report.split).toEqual({
      column: undefined,
      values: new Map([
        ['train', 2],
        ['oos_test', 1],
      ]),
    });
  });

  test('keys of lists that name no split are noted', async () => {
    const { records, report } = await readAll(jsonFormat, '{"data": [{"text": "a"}]}');
    expect(records).toEqual([{ text: 'a' }]);
    expect(report.split).toBeUndefined();
    expect(report.notes).toEqual([expect.objectContaining({ code: 'ignored' })]);
  });

  test('bad elements are problems with a pointer, and their neighbours are read', async () => {
    const { records, problems } = await readAll(
      jsonFormat,
      '{"a/b": [1, "two",\n null, {"text" "x"}, {"text": "ok"}, [["a"]], {"text": "a", "text": "b"}]}',
    );
    expect(records).toEqual([{ text: 'ok' }]);
    expect(shown(problems)).toEqual([
      '1:1 - a number is neither an object nor a pair [text, intent]',
      '2:1 - a string is neither an object nor a pair [text, intent]',
      '3:2 - null is neither an object nor a pair [text, intent]',
      expect.stringMatching(/^4:2 - not valid JSON: .*character 9$/u),
      '6:2 - a list must be a pair of strings, [text, intent]',
      '7:2 - the key "text" occurs twice',
    ]);
    expect(problems[0]?.pointer).toBe('/a~1b/0');
  });

  test('an empty list is an empty set', async () => {
    expect((await readAll(jsonFormat, ' [ ] \n')).report.rows).toBe(0);
    expect((await readAll(jsonFormat, '{}')).report.rows).toBe(0);
  });

  test.each([
    ['', 'the file is empty'],
    ['[{"text": "a"},\n{"text": "b', ':2: the file ends in the middle, at element 1, where a value should come'],
    ['[{"text": "a"}', 'the file ends in the middle, at element 1, where "," or "]" should come'],
    ['{"train": [', 'the file ends in the middle, at element 0 of "train"'],
    ['[{"text": "a"},]', 'found "]" where a value should be'],
    ['[{"text": "a"} {"text": "b"}]', 'found "{" where "," or "]" should be'],
    ['[]]', 'found "]" where the end of the file should be'],
    ['hello', 'found "h" where "[" or "{" should be'],
    ['{"a": []; }', 'found ";" where "," or "}" should be'],
    ['{a: []}', 'found "a" where a key or "}" should be'],
    ['{"a\\x": []}', 'is not a JSON string'],
  ])('a document that breaks off or is no list is an error with its line: %j', async (content, message) => {
    await expect(readAll(jsonFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test('other JSON is refused with what is wanted', async () => {
    await expect(readAll(jsonFormat, '{\n "text": "a",\n "intent": "b"\n}')).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory:2: the key "text" holds no list',
      hint: expect.stringContaining('--format jsonl'),
    });
    await expect(readAll(jsonFormat, '["a","b"]\n["c","d"]\n')).rejects.toMatchObject({
      hint: expect.stringContaining('--format jsonl'),
    });
  });

  test('an element over the limit is an error, whatever the size of the file', async () => {
    const content = `[{"text": "${'x'.repeat(9 * 1024 * 1024)}"}]`;
    await expect(readAll(jsonFormat, content, { gatherBytes: 65_536 })).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('more than 8388608 characters'),
    });
  });

  test('bytes that are not UTF-8 are a problem of their element', async () => {
    const bytes = Buffer.from('[{"text": "caf\xe9"}, {"text": "ok"}]', 'latin1');
    const { records, problems } = await readAll(jsonFormat, bytes);
    expect(records).toEqual([{ text: 'ok' }]);
    expect(shown(problems)).toEqual([expect.stringContaining('1:1 - byte 0xE9 at offset 14')]);
  });
});
