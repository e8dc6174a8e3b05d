import { expect, test } from 'vitest';
import { RAW_LIMIT } from '../../src/formats/format.ts';
import { csvFormat, tsvFormat } from '../../src/formats/csv.ts';
import type { Format, ReadOptions } from '../../src/formats/format.ts';
import { jsonFormat } from '../../src/formats/json.ts';
import { jsonlFormat } from '../../src/formats/jsonl.ts';
import { rejectsFormatter } from '../../src/formats/rejects.ts';
import { readAll } from './support.ts';

async function rejects(format: Format, content: string, options: ReadOptions = {}): Promise<string> {
  const { problems, report } = await readAll(format, content, options);
  const formatter = rejectsFormatter(report);
  return formatter.head() + formatter.rows(problems);
}

test('refused rows of a table keep their columns, and say what is wrong', async () => {
  const text = await rejects(csvFormat, 'text;label\n"a;b";\nonly\nok;x\n"c" d;y\n');
  expect(text).toBe(
    [
      'text;label;uttr_problem',
      '"a;b";;"""intent"" is empty"',
      'only;;the row has 1 cell, the header has 2',
      ';;"text after the closing quote of cell 1; the row: ""c"" d;y"',
      '',
    ].join('\n'),
  );
});

test('a rejects file that was mended is read like any other', async () => {
  const text = await rejects(csvFormat, 'text,label\na,\n');
  const mended = text.replace('a,,', 'a,x,');
  const { records, report } = await readAll(csvFormat, mended);
  expect(records).toEqual([{ text: 'a', intent: 'x' }]);
  expect(report.columns.get('uttr_problem')).toBe('ignored');
});

test('a rejects file that was not mended is refused again, with one column of problems', async () => {
  for (const format of [csvFormat, tsvFormat]) {
    const first = await rejects(format, 'text,label\na,\n"b" c,x\n', { delimiter: ',' });
    const again = await rejects(format, first, { delimiter: ',' });
    expect(again.split('\n')[0]).toBe('text,label,uttr_problem');
    expect(again.split('\n')).toHaveLength(first.split('\n').length);
  }
});

test('refused lines of JSON keep their text, with what is wrong as a key', async () => {
  const text = await rejects(jsonlFormat, '{"text":"a","text":"b"}\n{"text":"","intent":""}\n{"text":"x"\n[1]\n{}\n');
  expect(text).toBe(
    [
      String.raw`{"uttr_problem":"the key \"text\" occurs twice","text":"a","text":"b"}`,
      String.raw`{"uttr_problem":"\"text\" is empty; \"intent\" is empty","text":"","intent":""}`,
      text.split('\n')[2],
      String.raw`{"uttr_problem":"a list must be a pair of strings, [text, intent]","row":"[1]"}`,
      String.raw`{"uttr_problem":"no \"text\"; the keys are none"}`,
      '',
    ].join('\n'),
  );
  expect(text.split('\n')[2]).toMatch(/^\{"uttr_problem":"not valid JSON.*","row":"\{\\"text\\":\\"x\\""\}$/u);
  const mended = await readAll(jsonlFormat, '{"uttr_problem":"was bad","text":"a"}\n');
  expect(mended.records).toEqual([{ text: 'a' }]);
});

test('refused elements of a JSON document become lines', async () => {
  const text = await rejects(jsonFormat, '[\n  {"text": "a"},\n  {\n    "text": "",\n    "id": 1\n  }\n]');
  expect(text).toBe('{"uttr_problem":"\\"text\\" is empty","text": "","id": 1}\n');
});

test('a row refused for the length of its text is there whole', async () => {
  const long = 'x'.repeat(40_000);
  expect(await rejects(csvFormat, `text,label\n${long},greet\n`)).toContain(`\n${long},greet,`);
});

test('a row that is too long to repeat is named by its line', async () => {
  const long = 'x'.repeat(RAW_LIMIT);
  expect(await rejects(csvFormat, `text,label\n${long},\n`)).toContain('it starts on line 2 of the file');
  expect(await rejects(jsonlFormat, `{"text":"ok"}\n{"id":"${long}"}\n`)).toContain('it starts on line 2 of the file');
});
