import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { parquetFormat } from '../../../src/formats/parquet/parquet.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { temporaryDirectory } from '../../doubles/temporary-directory.ts';
import { dataFiles, HAS_DATA, NO_DATA, readAll, shown, writeAll } from '../support.ts';
import { featuresOf, parquetOf, texts } from './support.ts';
import { pythonWith } from '../python.ts';

const RECORDS: readonly UtteranceRecord[] = [
  { text: 'hi \u{1F600}!', intent: 'greet', entities: [{ start: 3, end: 4, type: 'smile', text: '\u{1F600}' }] },
  { text: 'two', intent: ['a', 'b'], id: '007', lang: 'pt-BR', features: { n: 1, no: null, t: 'x' }, meta: { x: [1] } },
  { text: 'no label' },
  { text: 'odd names', intent: '[a]' },
];

const ENTITY: SchemaElement[] = [
  { name: 'entities', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'OPTIONAL', num_children: 5 },
  { name: 'start', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'end', type: 'INT32', repetition_type: 'OPTIONAL' },
  { name: 'type', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'role', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];

const TEXT: SchemaElement = { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' };

describe('recognising Parquet', () => {
  test('by its first letters, whatever the name', async () => {
    const bytes = await writeAll(parquetFormat, RECORDS);
    const { format, reason } = detectFormat(bytes.subarray(0, 100), 'data.csv');
    expect([format.name, reason]).toEqual(['parquet', 'by its content']);
    expect(parquetFormat.sniff(Buffer.from('text,intent\n'), 'x.parquet')).toBe(0.5);
    expect(parquetFormat.sniff(Buffer.from('text,intent\n'), 'x.csv')).toBe(0);
  });

  test.skipIf(!HAS_DATA)(`no file of another tool is taken for it${NO_DATA}`, async () => {
    const taken: string[] = [];
    let seen = 0;
    for await (const { path, head } of dataFiles()) {
      seen++;
      if (parquetFormat.sniff(head, path) > 0) taken.push(path);
    }
    expect(seen).toBeGreaterThan(30);
    expect(taken).toEqual([]);
  });
});

describe('what is written', () => {
  test('is read back as the same records', async () => {
    const { records, problems, rows } = await readAll(parquetFormat, await writeAll(parquetFormat, RECORDS));
    expect(problems).toEqual([]);
    expect(records).toEqual(RECORDS);
    expect(rows).toEqual([1, 2, 3, 4]);
  });

  test('has fixed columns, and nothing in it that changes', async () => {
    const bytes = await writeAll(parquetFormat, RECORDS);
    expect((await writeAll(parquetFormat, RECORDS)).equals(bytes)).toBe(true);
    const { schema, created_by: author } = parquetMetadata(bytes);
    expect(author).toBe('uttr version 1');
    const names = ['text', 'intent', 'id', 'lang', 'entities', 'features', 'meta'];
    expect(schema.map(({ name }) => name)).toEqual(['schema', ...names]);
    const { schema: empty } = parquetMetadata(await writeAll(parquetFormat, []));
    expect(empty).toEqual(schema);
    expect((await readAll(parquetFormat, await writeAll(parquetFormat, []))).records).toEqual([]);
  });

  test('is cut into row groups by its rows alone, which are read one by one', async () => {
    const many = Array.from({ length: 20_005 }, (_, index) => ({
      text: `text ${index}`,
      intent: `intent ${index % 7}`,
    }));
    const bytes = await writeAll(parquetFormat, many);
    expect(parquetMetadata(bytes).row_groups.map((group) => Number(group.num_rows))).toEqual([10_000, 10_000, 5]);
    const { records, rows } = await readAll(parquetFormat, bytes);
    expect(records).toEqual(many);
    expect(rows.at(-1)).toBe(20_005);
  });

  const { command: python, note } = pythonWith('pyarrow.parquet');

  test.skipIf(python === undefined)(`is what pyarrow reads${note}`, { timeout: 60_000 }, async () => {
    const path = join(temporaryDirectory(), 'a.parquet');
    writeFileSync(path, await writeAll(parquetFormat, RECORDS));
    const script = 'import sys, json, pyarrow.parquet as p; print(json.dumps(p.read_table(sys.argv[1]).to_pylist()))';
    const rows = JSON.parse(execFileSync(python ?? '', ['-c', script, path], { encoding: 'utf8' })) as unknown[];
    expect(rows[0]).toEqual({
      text: 'hi \u{1F600}!',
      intent: 'greet',
      id: null,
      lang: null,
      entities: '[{"end":4,"start":3,"text":"\u{1F600}","type":"smile"}]',
      features: null,
      meta: null,
    });
    expect(rows.slice(1).map((row) => (row as { intent: unknown }).intent)).toEqual(['["a","b"]', null, '["[a]"]']);
  });
});

describe('reading columns', () => {
  test('they are recognised as in JSON: others go to meta, and what is null is not there', async () => {
    const bytes = parquetOf([
      texts('utterance', ['a', 'b']),
      texts('category', ['x', null]),
      { name: 'id', data: [2n ** 60n, null], type: 'INT64' },
      { name: 'score', data: [0.5, Number.NaN], type: 'DOUBLE' },
      texts('source', [null, 'chat']),
      texts('split', ['train', 'test']),
    ]);
    const { records, problems, report, splits } = await readAll(parquetFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      { text: 'a', intent: 'x', id: '1152921504606846976', meta: { score: 0.5 } },
      { text: 'b', meta: { source: 'chat' } },
    ]);
    expect(splits).toEqual(['train', 'test']);
    expect(Object.fromEntries(report.columns)).toMatchObject({ utterance: 'text', category: 'intent' });
  });

  test('--map says which column is which', async () => {
    const bytes = parquetOf([texts('say', ['a']), texts('label', ['no']), texts('goal', ['["x","y"]'])]);
    const { records } = await readAll(parquetFormat, bytes, { map: { text: 'say', intent: 'goal' } });
    expect(records).toEqual([{ text: 'a', intent: ['x', 'y'], meta: { label: 'no' } }]);
    await expect(readAll(parquetFormat, bytes)).rejects.toMatchObject({ code: 'missing-column' });
  });

  test('nested entities, JSON in a text and lists of intents are read alike', async () => {
    const entity = { start: 0n, end: 3, type: 'city', text: 'Rom', role: null };
    const nested = parquetOf(
      [
        { name: 'text', data: ['Rom \u{1F600}', 'Oslo'] },
        { name: 'entities', data: [[entity], []] },
      ],
      { schema: [{ name: 'root', num_children: 2 }, TEXT, ...ENTITY] },
    );
    const json = parquetOf([
      texts('text', ['Rom \u{1F600}', 'Oslo']),
      texts('entities', ['[{"start":0,"end":3,"type":"city","text":"Rom"}]', '']),
    ]);
    const expected = [
      { text: 'Rom \u{1F600}', entities: [{ start: 0, end: 3, type: 'city', text: 'Rom' }] },
      { text: 'Oslo' },
    ];
    expect((await readAll(parquetFormat, nested)).records).toEqual(expected);
    expect((await readAll(parquetFormat, json)).records).toEqual(expected);
  });

  test('times, days and JSON become what JSON has for them', async () => {
    const bytes = parquetOf(
      [
        { name: 'text', data: ['a'] },
        { name: 'at', data: [new Date('2020-01-02T03:04:05.678Z')] },
        { name: 'meta', data: [{ deep: [1, null] }] },
      ],
      {
        schema: [
          { name: 'root', num_children: 3 },
          TEXT,
          { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' },
          { name: 'meta', type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' },
        ],
      },
    );
    const { records } = await readAll(parquetFormat, bytes);
    expect(records).toEqual([{ text: 'a', meta: { at: '2020-01-02T03:04:05.678Z', deep: [1, null] } }]);
  });

  test('a row that is wrong is told with its number and column, and the others are read', async () => {
    const bytes = parquetOf(
      [
        { name: 'text', data: ['a', Buffer.from([0xff, 0xfe]), 'c', null, 'e'] },
        { name: 'entities', data: [null, null, '[{', null, null] },
        { name: 'count', data: [1n, null, null, null, 2n ** 60n] },
      ],
      {
        schema: [
          { name: 'root', num_children: 3 },
          { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
          { ...TEXT, name: 'entities' },
          { name: 'count', type: 'INT64', repetition_type: 'OPTIONAL' },
        ],
      },
    );
    const { records, problems } = await readAll(parquetFormat, bytes);
    expect(records).toEqual([{ text: 'a', meta: { count: 1 } }]);
    expect(shown(problems)).toEqual([
      '2:2 text "text" holds bytes that are no text in UTF-8',
      expect.stringMatching(/^3:3 entities "entities" is no JSON: /u),
      '4:4 text "text" is missing',
      '5:5 count "count" holds the number 1152921504606846976, which would lose digits: write it as a text',
    ]);
    expect(problems[1]?.raw).toBe('{"text":"c"}');
  });

  test('bytes in other columns are passed over and counted', async () => {
    const bytes = parquetOf([
      texts('text', ['a', 'b']),
      { name: 'image', data: [Buffer.from([0xff]), Buffer.from([0xfe])] },
    ]);
    const { records, report } = await readAll(parquetFormat, bytes);
    expect(records).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect(report.notes).toEqual([
      { code: 'ignored', message: '"image" holds bytes, which a record cannot carry', count: 2 },
    ]);
  });

  test.each([
    ['UNCOMPRESSED', undefined],
    ['SNAPPY', undefined],
    ['GZIP', (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))],
    ['ZSTD', (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes))],
  ] as const)('pages in %s are unpacked', async (codec, compressor) => {
    const data = Array.from({ length: 3000 }, (_, index) => `text ${index}`);
    const bytes = parquetOf(
      [
        texts('text', data),
        texts(
          'intent',
          data.map((_, index) => (index % 5 ? 'a' : null)),
        ),
      ],
      {
        codec,
        pageSize: 1000,
        ...(compressor === undefined ? {} : { compressors: { [codec]: compressor } }),
      },
    );
    const { records, problems } = await readAll(parquetFormat, bytes);
    expect(problems).toEqual([]);
    expect(records.map(({ text }) => text)).toEqual(data);
    expect(records.filter(({ intent }) => intent === undefined)).toHaveLength(600);
  });

  test('an unknown compression is named', async () => {
    const bytes = parquetOf([texts('text', ['a'])], { codec: 'LZ4_RAW', compressors: { LZ4_RAW: (page) => page } });
    await expect(readAll(parquetFormat, bytes)).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory cannot be read as a Parquet file: it is compressed with LZ4_RAW, which is not read',
    });
  });
});

describe('labels that are numbers', () => {
  const numbers = { name: 'label', type: 'INT64' as const };
  const text = texts('text', ['a', 'b', 'c']);
  const LABEL = { names: ['no', 'yes'], _type: 'ClassLabel' };

  test('get the names that the footer gives; -1 is none', async () => {
    const bytes = parquetOf([text, { ...numbers, data: [1n, 0n, -1n] }], featuresOf({ label: LABEL }));
    expect((await readAll(parquetFormat, bytes)).records).toEqual([
      { text: 'a', intent: 'yes' },
      { text: 'b', intent: 'no' },
      { text: 'c' },
    ]);
  });

  test('without names the file is refused, and a column with names is pointed to', async () => {
    const bytes = parquetOf([text, { ...numbers, data: [1n, 0n, 1n] }, texts('label_text', ['y', 'n', 'y'])]);
    await expect(readAll(parquetFormat, bytes)).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory: the labels in "label" are numbers, and nothing says what they mean',
      hint: 'if their names are in "label_text", say --map intent=label_text',
    });
    const { records } = await readAll(parquetFormat, bytes, { map: { intent: 'label_text' } });
    expect(records[0]).toEqual({ text: 'a', intent: 'y', meta: { label: 1 } });
  });

  test('a number that has no name is a problem of its row', async () => {
    const bytes = parquetOf([text, { ...numbers, data: [1n, 7n, 0n] }], featuresOf({ label: LABEL }));
    const { records, problems } = await readAll(parquetFormat, bytes);
    expect(records).toHaveLength(2);
    expect(shown(problems)).toEqual(['2:2 label 7 is none of the 2 labels, which are numbered from 0']);
  });

  test('names in a footer that is no JSON, or has gaps, are no names', async () => {
    const column = { ...numbers, data: [1n, 0n, 1n] };
    const broken = parquetOf([text, column], { kvMetadata: [{ key: 'huggingface', value: '{' }] });
    await expect(readAll(parquetFormat, broken)).rejects.toMatchObject({ message: expect.stringContaining('numbers') });
  });
});
