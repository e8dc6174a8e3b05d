import { describe, expect, test } from 'vitest';
import { detectArchive, detectFormat, FORMATS, formatByName } from '../../src/formats/registry.ts';
import { readAll } from './support.ts';

describe('which format a file is in', () => {
  test.each([
    ['csv', 'by its content', 'text,label\na,b\n', 'data'],
    ['csv', 'by its content', 'text;label\na;b\n', 'data.txt'],
    ['csv', 'by its name', 'a,b\nc,d\n', 'data.CSV'],
    ['csv', 'by its name', '', 'data.csv'],
    ['tsv', 'by its content', 'text\tlabel\na\tb\n', 'data.csv'],
    ['tsv', 'by its name', 'a\tb\n', 'data.tsv'],
    ['jsonl', 'by its content', '{"text":"a"}\n{"text":"b"}\n', 'data.csv'],
    ['jsonl', 'by its content', '\n["a","b"]\n["c","d"]\n', 'stdin'],
    ['jsonl', 'by its name', '', 'data.ndjson'],
    ['json', 'by its content', '[\n{"text":"a"}\n]', 'data.txt'],
    ['json', 'by its content', '[["a","b"],["c","d"]]', 'data.jsonl'],
    ['json', 'by its content', '{"train": [\n ["a", "b"]', 'stdin'],
    ['json', 'by its content', '{"train":[["a","b"]],"test":[]}', 'stdin'],
    ['json', 'by its name', '{"version": 1}', 'app.json'],
  ])('%s, %s: %j as %s', (name, reason, content, fileName) => {
    const detected = detectFormat(Buffer.from(content), fileName);
    expect([detected.format.name, detected.reason]).toEqual([name, reason]);
  });

  test('content is recognised in UTF-16LE', () => {
    const bytes = Buffer.from('\ufefftext\tlabel\r\na\tb\r\n', 'utf16le');
    expect(detectFormat(bytes, 'export.txt').format.name).toBe('tsv');
  });

  test('a workbook is recognised by its first bytes, and by the files in it', () => {
    const head = Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.from('xl/worksheets')]);
    expect(detectFormat(head, 'upload').format.name).toBe('xlsx');
    const found = detectArchive(['[Content_Types].xml', 'xl/workbook.xml'], 'upload');
    expect([found.format.name, found.reason]).toEqual(['xlsx', 'by the files in it']);
  });

  test.each([
    ['504b0304', 'word/document.xml', 'a Word document'],
    ['504b0304', 'anything', 'a zip archive'],
    ['89504e470d0a1a0a', '', 'a PNG image'],
    ['255044462d312e37', '', 'a PDF document'],
    ['1f8b0800', '', 'a gzip archive'],
    ['d0cf11e0a1b11ae1', '', 'an old Office document'],
    ['0102030405060708', '', 'a binary file'],
    ['', '', 'empty'],
    ['', 'hello there', 'in no format that uttr knows'],
  ])('a file that cannot be read is refused by what it is: %s %s', (hex, rest, what) => {
    const head = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(rest)]);
    expect(() => detectFormat(head, 'upload')).toThrow(
      expect.objectContaining({
        code: 'bad-format',
        message: expect.stringContaining(`upload is ${what}`),
        hint: expect.stringContaining('.csv'),
      }),
    );
  });

  test('a format that was named by mistake still says what the file is', async () => {
    for (const format of FORMATS) {
      await expect(readAll(format, Buffer.from('89504e470d0a1a0a', 'hex'))).rejects.toMatchObject({
        code: 'bad-format',
        message: expect.stringContaining('a PNG image'),
      });
    }
  });
});

describe('formats by name', () => {
  test('each format is found by its name, whatever the case', () => {
    for (const format of FORMATS) expect(formatByName(format.name.toUpperCase())).toBe(format);
  });

  test('names are unique', () => {
    const names = FORMATS.map((format) => format.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('an unknown name is refused with the nearest one', () => {
    expect(() => formatByName('jsnl')).toThrow(
      expect.objectContaining({ code: 'bad-option', hint: 'did you mean "jsonl"?' }),
    );
  });
});
