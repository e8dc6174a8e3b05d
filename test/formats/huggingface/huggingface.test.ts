import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive, type PackedFile, writeArchive } from '../../../src/formats/archive.ts';
import type { FolderFile, ReadOptions, SideSource } from '../../../src/formats/format.ts';
import { huggingFaceFormat } from '../../../src/formats/huggingface/huggingface.ts';
import { parquetFormat } from '../../../src/formats/parquet/parquet.ts';
import { detectArchive, FORMATS } from '../../../src/formats/registry.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, type Everything, shown, writeAll } from '../support.ts';
import { parquetOf, texts } from '../parquet/support.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function packed(files: Files): Promise<Buffer> {
  const list = Object.entries(files).map(([path, content]): PackedFile => ({ path, bytes: Buffer.from(content) }));
  return Buffer.concat(await Array.fromAsync(writeArchive(list)));
}

async function read(files: Files, options: ReadOptions = {}): Promise<Everything> {
  return readAll(huggingFaceFormat, await packed(files), options);
}

function card(matter: string): string {
  return `---\n${matter}---\n# A set\n`;
}

const LINES = '{"text":"a","intent":"x"}\n{"text":"b","intent":"y"}\n';

describe('recognising a dataset folder', () => {
  test.each([
    [['README.md', 'data/train-00000-of-00001.parquet'], true],
    [['train.csv', 'test.csv'], true],
    [['README.md', 'train.csv', 'test.csv', 'categories.json'], true],
    [['README.md', 'train.jsonl', 'images/a.png', 'LICENSE'], true],
    [['train.json', 'test.json'], true],
    [['README.md', 'rows.csv'], true],
    [['anything.parquet'], true],
    [['rows.csv'], false],
    [['testfile.csv', 'trainer.csv'], false],
    [['README.md', 'app.json', 'utterances.json'], false],
    [['README.md', 'train.json', 'app.json'], false],
    [['agent.json', 'intents/test/test.json'], false],
    [['README.md', 'train.csv', 'nlu.yml'], false],
    [['dataset_infos.json', 'README.md'], false],
    [[], false],
  ] as const)('%j: %s', (paths, expected) => {
    expect((huggingFaceFormat.sniffArchive?.(paths) ?? 0) > 0).toBe(expected);
    expect(huggingFaceFormat.sniff(Buffer.from('PK\u0003\u0004'), 'train.csv')).toBe(0);
  });

  test.skipIf(!HAS_DATA)(
    `of the real folders only BANKING77 is one, and no zip of another tool${NO_DATA}`,
    async () => {
      const data = join(import.meta.dirname, '../../../../shared/data');
      const found: string[] = [];
      let zips = 0;
      for (const folder of await readdir(data, { withFileTypes: true })) {
        if (!folder.isDirectory()) continue;
        const entries = await readdir(join(data, folder.name), { recursive: true, withFileTypes: true });
        const paths = entries
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(join(data, folder.name).length + 1));
        if ((huggingFaceFormat.sniffArchive?.(paths) ?? 0) > 0) found.push(folder.name);
        for (const path of paths.filter((name) => /\.(?:zip|xlsx)$/u.test(name))) {
          const { entries: inside } = await openArchive(await dataFile(join(folder.name, path)), path);
          if ((huggingFaceFormat.sniffArchive?.(inside.map((entry) => entry.path)) ?? 0) > 0) found.push(path);
          zips++;
        }
      }
      expect(zips).toBeGreaterThan(4);
      expect(found).toEqual(['banking77']);
    },
  );
});

describe('which file is of which split', () => {
  test('is said by the names of the files: a word, in a folder or a file, between no letters', async () => {
    const { records, splits, report, problems } = await read({
      'data/train-00000-of-00002.jsonl': LINES,
      'data/train-00001-of-00002.jsonl': LINES,
      'my_test-set.jsonl': LINES,
      'dev/a.jsonl': LINES,
      'testfile.jsonl': LINES,
      'notes.txt': 'no data',
    });
    expect([problems, records.length]).toEqual([[], 8]);
    expect(splits).toEqual(['train', 'train', 'train', 'train', 'validation', 'validation', 'test', 'test']);
    expect(report.split).toEqual({
      column: 'the files',
      values: new Map([
        ['train', 4],
        ['validation', 2],
        ['test', 2],
      ]),
    });
    expect(report.notes).toEqual([
      {
        code: 'ignored',
        message: 'files that are not among the data were passed over: notes.txt, testfile.jsonl',
        count: 2,
      },
    ]);
  });

  test('is said by the front matter first', async () => {
    const matter = [
      'configs:',
      '- config_name: other',
      '  data_files: nothing/*.csv',
      '- config_name: default',
      '  data_files:',
      '  - split: train',
      '    path: ["data/part-?.jsonl", "more/**/x.csv"]',
      '  - split: test',
      '    path: data/held*',
      '',
    ].join('\r\n');
    const files = {
      'README.md': card(matter),
      'data/part-1.jsonl': LINES,
      'data/part-22.jsonl': LINES,
      'data/held_out.jsonl': LINES,
      'more/deep/er/x.csv': 'text,intent\nc,x\n',
      'test.parquet': 'not read',
    };
    const { splits, records } = await read(files);
    expect(splits).toEqual(['train', 'train', 'train', 'test', 'test']);
    expect(records[2]).toEqual({ text: 'c', intent: 'x' });
    const below = Object.fromEntries(Object.entries(files).map(([path, content]) => [`top/${path}`, content]));
    expect((await read(below)).splits).toEqual(splits);
  });

  test('files that no split is named for have none, but for a column that says it', async () => {
    const { splits } = await read({
      'README.md': card('configs:\n- config_name: default\n  data_files: "*.jsonl"\n'),
      'a.jsonl': '{"text":"a","split":"test"}\n{"text":"b"}\n',
    });
    expect(splits).toEqual(['test', undefined]);
  });

  test('several configurations without a default are refused with their names', async () => {
    const matter = 'configs:\n- config_name: en\n  data_files: en.csv\n- config_name: de\n  data_files: de.csv\n';
    await expect(read({ 'README.md': card(matter), 'en.csv': 'text\na\n' })).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory/README.md has 2 configurations, and none of them is the default',
      hint: 'name the files of one of them: en, de',
    });
  });

  test('a pattern that nothing fits is refused', async () => {
    const matter = 'configs:\n- config_name: default\n  data_files: "data/*.arrow"\n';
    await expect(read({ 'README.md': card(matter), 'data/a.arrow': 'x', 'b.csv': 'text\na\n' })).rejects.toMatchObject({
      message: 'memory/README.md names data/*.arrow, but no data file that is read fits that',
    });
  });

  test('front matter that is no YAML is refused with its line', async () => {
    await expect(read({ 'README.md': card('configs: []\na: [\n'), 'a.csv': 'text\na\n' })).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringMatching(/^memory\/README\.md:\d: it is not valid YAML/u),
    });
  });
});

describe('reading the files', () => {
  test('rows are numbered through the set, and say their file', async () => {
    const parquet = parquetOf([texts('text', ['p', null]), texts('intent', ['x', 'y'])]);
    const matter = 'configs:\n- config_name: default\n  data_files: ["a.json", "b.parquet", "c.tsv"]\n';
    const bytes = await packed({
      'README.md': card(matter),
      'a.json': '[\n{"text":"one"},\n{"text":1}]',
      'b.parquet': parquet,
      'c.tsv': 'text\tintent\n \u{1F600} t\tz\n',
    });
    const reading = huggingFaceFormat.read({
      name: 'set',
      async *chunks() {
        yield bytes;
      },
    });
    const batches = await Array.fromAsync(reading);
    expect(batches.flatMap(({ rows }) => rows)).toEqual([1, 3, 5]);
    expect(batches.flatMap(({ pointers }) => pointers)).toEqual(['a.json/0', 'b.parquet', 'c.tsv']);
    expect(batches.flatMap(({ records }) => records)).toEqual([
      { text: 'one' },
      { text: 'p', intent: 'x' },
      { text: '\u{1F600} t', intent: 'z' },
    ]);
    expect(batches.flatMap(({ problems }) => problems).map(({ row, pointer, file }) => [row, pointer, file])).toEqual([
      [2, 'a.json/1', 'set'],
      [4, 'b.parquet', 'set'],
    ]);
    const { rows, accepted, rejected, notes } = reading.report;
    expect([rows, accepted, rejected]).toEqual([5, 3, 2]);
    expect(notes).toContainEqual({ code: 'trimmed', message: 'blanks at the ends of texts were dropped', count: 1 });
  });

  test('the commonest kind of file is read where nothing says which', async () => {
    const { records } = await read({
      'train.csv': 'text,intent\na,x\n',
      'test.csv': 'text,intent\nb,x\n',
      'x.json': '[',
    });
    expect(records).toHaveLength(2);
  });

  test('--map is for all files', async () => {
    const { records } = await read({ 'train.csv': 'say,goal\na,x\n' }, { map: { text: 'say', intent: 'goal' } });
    expect(records).toEqual([{ text: 'a', intent: 'x' }]);
  });

  test.skipIf(!HAS_DATA)(`BANKING77 has its 13,083 rows, each on its side${NO_DATA}`, async () => {
    const files: Record<string, Buffer> = {};
    for (const name of ['README.md', 'categories.json', 'test.csv', 'train.csv']) {
      files[name] = await dataFile(`banking77/${name}`);
    }
    const { records, report, problems } = await read(files);
    expect([records.length, problems]).toEqual([13_083, []]);
    expect(new Set(records.map(({ intent }) => intent)).size).toBe(77);
    expect(Object.fromEntries(report.split?.values ?? [])).toEqual({ train: 10_003, test: 3080 });
    expect(report.notes.find(({ code }) => code === 'trimmed')?.count).toBe(12);
  });
});

describe('labels that are numbers', () => {
  const matter = [
    'dataset_info:',
    '- config_name: other',
    '  features:',
    '  - {name: label, dtype: {class_label: {names: {"0": wrong}}}}',
    '- config_name: default',
    '  features:',
    '  - name: text',
    '    dtype: string',
    '  - name: label',
    '    dtype:',
    '      class_label:',
    '        names:',
    "          '0': greet",
    "          '1': 'no'",
    'configs:',
    '- config_name: default',
    '  data_files:',
    '  - split: train',
    '    path: train*',
    '',
  ].join('\n');
  const expected = [{ text: 'a', intent: 'no' }, { text: 'b', intent: 'greet' }, { text: 'c' }];

  test.each([
    ['train.jsonl', '{"text":"a","label":1}\n{"text":"b","label":0}\n{"text":"c","label":-1}\n'],
    ['train.json', '[{"text":"a","label":1},{"text":"b","label":0},{"text":"c","label":-1}]'],
    ['train.csv', 'text,label\na,1\nb,0\nc,-1\n'],
    ['train.tsv', 'text\tlabel\na\t1\nb\t0\nc\t-1\n'],
    [
      'train.parquet',
      parquetOf([texts('text', ['a', 'b', 'c']), { name: 'label', data: [1n, 0n, -1n], type: 'INT64' }]),
    ],
  ])('get the names that README.md gives: %s', async (name, content) => {
    expect((await read({ 'README.md': card(matter), [name]: content })).records).toEqual(expected);
    await expect(read({ [name]: content })).rejects.toMatchObject({
      code: 'bad-format',
      message: `memory/${name}: the labels in "label" are numbers, and nothing says what they mean`,
    });
  });

  test('get the names of an older set from dataset_infos.json', async () => {
    const infos = { default: { features: { label: { names: ['greet', 'no'], _type: 'ClassLabel' } } } };
    const files = { 'train.csv': 'text,label\na,1\nb,greet\n', 'dataset_infos.json': JSON.stringify(infos) };
    expect((await read(files)).records).toEqual(expected.slice(0, 2));
    await expect(read({ ...files, 'dataset_infos.json': '{' })).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('lists of numbers are named one by one, and a number without a name is a problem of its row', async () => {
    const features =
      'dataset_info:\n  features:\n  - name: label\n    sequence:\n      class_label:\n        names: [a, b]\n';
    const { records, problems } = await read({
      'README.md': card(features),
      'train.jsonl': '{"text":"x","label":[1,0]}\n{"text":"y","label":[]}\n{"text":"z","label":[2]}\n',
    });
    expect(records).toEqual([{ text: 'x', intent: ['a', 'b'] }, { text: 'y' }]);
    expect(shown(problems)).toEqual(['3:3 label 2 is none of the 2 labels, which are numbered from 0']);
  });
});

describe('folders that are refused', () => {
  test('what is no folder is named', async () => {
    await expect(readAll(huggingFaceFormat, 'text,intent\na,b\n')).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory is one file, not a Hugging Face dataset folder',
    });
  });

  test('a folder without data, with a word for Arrow files', async () => {
    await expect(read({ 'README.md': '# a', 'train/data-00000-of-00001.arrow': 'x' })).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory has no data file that is read',
      hint: 'Arrow files are not read: write the set with to_parquet or to_json',
    });
  });

  test('a damaged file among the data, with its path', async () => {
    await expect(read({ 'train.parquet': 'PAR1' })).rejects.toMatchObject({
      message: expect.stringContaining('memory/train.parquet cannot be read as a Parquet file: '),
    });
  });

  test('patterns of many stars take no time to speak of', async () => {
    const stars = `${'*a'.repeat(200)}.csv`;
    const files = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`${'a'.repeat(150)}${index}.csv`, 'text\na\n']),
    );
    const matter = `configs:\n- config_name: default\n  data_files: ["${stars}"]\n`;
    await expect(read({ 'README.md': card(matter), ...files })).rejects.toMatchObject({ code: 'bad-format' });
  });
});

describe('writing', () => {
  const RECORDS: readonly UtteranceRecord[] = [
    { text: 'hi \u{1F600}', intent: ['a', 'b'], entities: [{ start: 3, end: 4, type: 'smile', text: '\u{1F600}' }] },
    { text: 'no label', features: { n: null }, meta: { x: [1] } },
  ];

  function side(name: string, records: readonly UtteranceRecord[]): SideSource {
    return {
      side: name,
      async *source() {
        yield records;
      },
    };
  }

  async function written(sides: readonly SideSource[]): Promise<{ files: Record<string, Buffer>; list: FolderFile[] }> {
    const files: Record<string, Buffer> = {};
    const list: FolderFile[] = [];
    const writing = huggingFaceFormat.writeFolder?.(sides, { name: 'support' });
    for await (const file of writing ?? []) {
      list.push(file);
      files[file.path] = Buffer.concat(await Array.fromAsync(file.bytes));
    }
    expect([writing?.report.records, writing?.report.losses]).toEqual([2 * sides.length, []]);
    return { files, list };
  }

  test('all sides are read back as they were, from the same bytes each time', async () => {
    const sides = [side('train', RECORDS), side('hard-test', RECORDS.toReversed())];
    const { files, list } = await written(sides);
    expect(list.map(({ path, side: name, format }) => [path, name, format])).toEqual([
      ['README.md', undefined, undefined],
      ['data/train-00000-of-00001.parquet', 'train', 'parquet'],
      ['data/hard-test-00000-of-00001.parquet', 'hard-test', 'parquet'],
    ]);
    expect(files['data/train-00000-of-00001.parquet']).toEqual(await writeAll(parquetFormat, RECORDS));
    const { records, splits } = await read(files);
    expect(records).toEqual([...RECORDS, ...RECORDS.toReversed()]);
    expect(splits).toEqual(['train', 'train', 'hard_test', 'hard_test']);
    expect((await written(sides)).files).toEqual(files);
  });

  test('the card names the files of each split', async () => {
    const { files } = await written([side('train', RECORDS)]);
    expect(String(files['README.md'])).toContain(
      [
        '---',
        'configs:',
        '- config_name: default',
        '  data_files:',
        '  - split: "train"',
        '    path: "data/train-00000-of-00001.parquet"',
        'dataset_info:',
        '  features:',
        '  - name: text',
        '    dtype: string',
        '',
      ].join('\n'),
    );
    expect(String(files['README.md'])).toContain('\n# support\n');
  });

  test('a side without records has its file, but is no split: load_dataset would refuse all of them', async () => {
    const files: Record<string, Buffer> = {};
    for await (const { path, bytes } of huggingFaceFormat.writeFolder?.([side('train', RECORDS), side('test', [])]) ??
      []) {
      files[path] = Buffer.concat(await Array.fromAsync(bytes));
    }
    expect(Object.keys(files)).toEqual([
      'README.md',
      'data/train-00000-of-00001.parquet',
      'data/test-00000-of-00001.parquet',
    ]);
    expect(String(files['README.md'])).not.toContain('test');
    expect((await read(files)).records).toEqual(RECORDS);
    const [nothing] = await Array.fromAsync(huggingFaceFormat.writeFolder?.([side('train', [])]) ?? []);
    expect(String((await Array.fromAsync(nothing?.bytes ?? []))[0])).toContain('data_files: []\n');
  });

  test('sides that would be one split are refused', async () => {
    await expect(written([side('a-b', RECORDS), side('a_b', RECORDS)])).rejects.toMatchObject({ code: 'bad-option' });
  });
});

test('it is chosen for a folder by what is in it', () => {
  expect(FORMATS).toContain(huggingFaceFormat);
  expect(detectArchive(['README.md', 'data/train-00000-of-00001.parquet'], 'set').format).toBe(huggingFaceFormat);
});
