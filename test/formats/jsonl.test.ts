import { describe, expect, test } from 'vitest';
import { jsonlFormat } from '../../src/formats/jsonl.ts';
import { readAll, shown, writeAll } from './support.ts';

describe('reading JSON Lines', () => {
  test('each line is a record with its row and line', async () => {
    const { records, rows, lines, report } = await readAll(
      jsonlFormat,
      '{"text":"hi","intent":"greet"}\n\n  \n{"text":"bye","intent":["b","a"],"id":7,"lang":"en"}\r\n["yo","greet"]',
    );
    expect(records).toEqual([
      { text: 'hi', intent: 'greet' },
      { text: 'bye', intent: ['a', 'b'], id: '7', lang: 'en' },
      { text: 'yo', intent: 'greet' },
    ]);
    expect(rows).toEqual([1, 2, 3]);
    expect(lines).toEqual([1, 4, 5]);
    expect(report).toMatchObject({ rows: 3, accepted: 3, rejected: 0, encoding: 'utf-8' });
  });

  test('a mark at the start and U+2028 in a text are fine', async () => {
    const { records } = await readAll(jsonlFormat, '\ufeff{"text":"a\u2028b","intent":"x"}\n');
    expect(records).toEqual([{ text: 'a\u2028b', intent: 'x' }]);
  });

  test('keys are recognised by their usual names, and unknown ones go to meta', async () => {
    const { records, report } = await readAll(
      jsonlFormat,
      '{"Utterance":"hi","LABEL":"greet","locale":"en","source":{"app":1},"features":{"role":"agent"},"meta":{"a":true}}',
    );
    expect(records).toEqual([
      { text: 'hi', intent: 'greet', lang: 'en', features: { role: 'agent' }, meta: { a: true, source: { app: 1 } } },
    ]);
    expect([...report.columns]).toContainEqual(['Utterance', 'text']);
    expect([...report.columns]).toContainEqual(['source', 'meta.source']);
  });

  test('a mapping overrides the names', async () => {
    const { records } = await readAll(jsonlFormat, '{"text":"ignored","Phrase":"hi","Label":"greet","Role":"agent"}', {
      map: { text: 'Phrase', intent: 'Label', 'features.role': 'Role' },
    });
    expect(records).toEqual([{ text: 'hi', intent: 'greet', features: { role: 'agent' }, meta: { text: 'ignored' } }]);
  });

  test('a mapped label that an object lacks is a problem of that row', async () => {
    const { problems, records } = await readAll(jsonlFormat, '{"t":"a","l":"x"}\n{"t":"b"}', {
      map: { text: 't', intent: 'l' },
    });
    expect(records).toHaveLength(1);
    expect(shown(problems)).toEqual(['2:2 l "l" is missing']);
  });

  test('a mapped key that no object has is an error that lists the keys', async () => {
    await expect(readAll(jsonlFormat, '{"text":"a","label":"x"}', { map: { lang: 'Lang' } })).rejects.toMatchObject({
      code: 'missing-column',
      hint: expect.stringContaining('text, label'),
    });
  });

  test('a file in which nothing is the text is refused with a suggestion', async () => {
    await expect(readAll(jsonlFormat, '{"txt":"a"}\n{"txt":"b"}')).rejects.toMatchObject({
      code: 'missing-column',
      message: expect.stringContaining('"txt"'),
      hint: expect.stringContaining('--map text=txt'),
    });
  });

  test('a split is passed on beside the records, never into them', async () => {
    const { records, splits, report } = await readAll(
      jsonlFormat,
      '{"text":"a","split":"train"}\n{"text":"b","split":"other"}\n{"text":"c","split":"test"}',
    );
    expect(records).toEqual([{ text: 'a' }, { text: 'b', meta: { split: 'other' } }, { text: 'c' }]);
    expect(splits).toEqual(['train', undefined, 'test']);
    expect(report.split).toEqual({
      column: 'split',
      values: new Map([
        ['train', 1],
        ['test', 1],
      ]),
    });
  });

  test('every bad line is reported with its place, and its neighbours are read', async () => {
    const deep = `{"text":"a","meta":${'['.repeat(70)}${']'.repeat(70)}}`;
    const { records, problems } = await readAll(
      jsonlFormat,
      [
        '{"text":"first"}',
        '{"text":"a"',
        '{"text":"a" "intent":"b"}',
        '42',
        '["a","b","c"]',
        '{"text":"a","text":"b"}',
        '{"text":"12:30","meta":{"x":1,"y":{"x":2},"x":3}}',
        '{"text":"a","__proto__":{"admin":true}}',
        '{"text":"a","id":9007199254740993}',
        '{"text":"a","meta":{"n":1e999}}',
        deep,
        '{"text":"","intent":""}',
        '{"intent":"x"}',
        '{"text":"last: \\"x\\": 1"}',
      ].join('\n'),
    );
    expect(records.map((record) => record.text)).toEqual(['first', 'last: "x": 1']);
    expect(shown(problems)).toEqual([
      expect.stringMatching(/^2:2 - not valid JSON: .*character 12$/u),
      expect.stringMatching(/^3:3 - not valid JSON: .*character 13$/u),
      '4:4 - a number is neither an object nor a pair [text, intent]',
      '5:5 - a list must be a pair of strings, [text, intent]',
      '6:6 - the key "text" occurs twice',
      '7:7 - the key "x" occurs twice',
      '8:8 - the key "__proto__" is not allowed',
      '9:9 - the number 9007199254740993 would lose digits: write it as a string',
      '10:10 - a number is too large',
      '11:11 - nested deeper than 64 levels',
      '12:12 text "text" is empty',
      '12:12 intent "intent" is empty',
      '13:13 text no "text"; the keys are "intent"',
    ]);
    expect(problems[0]?.raw).toBe('{"text":"a"');
  });

  test('large numbers are fine as long as they keep their digits', async () => {
    const line = '{"text":"a","meta":{"n":[9007199254740992,1e+21,123456789012345680000,-12345678901234567890.5,0.1]}}';
    const { records } = await readAll(jsonlFormat, line);
    expect(records).toEqual([JSON.parse(line)]);
    const { problems } = await readAll(jsonlFormat, `${line}\n{"text":"a","meta":{"n":-123456789012345678901}}`);
    expect(shown(problems)).toEqual([
      '2:2 - the number -123456789012345678901 would lose digits: write it as a string',
    ]);
  });

  test('bytes that are not UTF-8 are named with their offset', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"text":"ok"}\n{"text":"caf'),
      Buffer.from([0xe9]),
      Buffer.from('"}\r\n{"text":"né"}\n{"text":"'),
      // A surrogate pair as two characters of three bytes.
      Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
      Buffer.from('"}'),
    ]);
    const { records, problems } = await readAll(jsonlFormat, bytes);
    expect(records.map((record) => record.text)).toEqual(['ok', 'né']);
    expect(shown(problems)).toEqual([
      expect.stringContaining('2:2 - byte 0xE9 at offset 26 is not UTF-8'),
      expect.stringContaining(`4:4 - byte 0xED at offset ${bytes.indexOf(0xed)} is not UTF-8`),
    ]);
  });

  test('Windows-1252 is read where it is asked for', async () => {
    const { records, report } = await readAll(jsonlFormat, Buffer.from('{"text":"caf\xe9 \x80"}', 'latin1'), {
      encoding: 'windows-1252',
    });
    expect(records).toEqual([{ text: 'café €' }]);
    expect(report.encoding).toBe('windows-1252');
  });

  test('a pretty-printed document is recognised', async () => {
    const pretty = JSON.stringify([{ text: 'a', intent: 'b' }], null, 2);
    await expect(readAll(jsonlFormat, pretty)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('spread over several lines'),
      hint: expect.stringContaining('--format json'),
    });
    await expect(readAll(jsonlFormat, '{\n  "text": "a"\n}\n')).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('a line over the limit is a problem, and the next one is read', async () => {
    const long = `{"text":"${'x'.repeat(9 * 1024 * 1024)}"}`;
    const { records, problems } = await readAll(jsonlFormat, `{"text":"a"}\n${long}\n{"text":"b"}\n`);
    expect(records.map((record) => record.text)).toEqual(['a', 'b']);
    expect(shown(problems)).toEqual([expect.stringMatching(/^2:2 - the line has 943\d+ characters/u)]);
    expect(problems[0]).not.toHaveProperty('raw');
  });

  test.each(['', '\n\n', '\ufeff'])('a file without any value is refused (%j)', async (content) => {
    await expect(readAll(jsonlFormat, content)).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('a signal stops the reading', async () => {
    await expect(readAll(jsonlFormat, '{"text":"a"}', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});

describe('writing JSON Lines', () => {
  test('each record is one line of canonical JSON', async () => {
    const bytes = await writeAll(jsonlFormat, [
      { text: 'b\n"', intent: 'x', id: '1' },
      { text: 'a', features: { z: 1, a: null } },
    ]);
    expect(bytes.toString()).toBe(
      '{"id":"1","intent":"x","text":"b\\n\\""}\n{"features":{"a":null,"z":1},"text":"a"}\n',
    );
  });
});
