import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conllFormat } from '../../../src/formats/conll/conll.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import { dataFile, dataFiles, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

/** A sentence of numbered words "form intent tag". */
function sentence(comments: readonly string[], ...words: readonly string[]): string {
  const rows = words.map((word, index) => [index + 1, ...word.split(' ')].join('\t'));
  return [...comments.map((comment) => `# ${comment}`), ...rows, '', ''].join('\n');
}

describe('reading CoNLL', () => {
  test('an emoji before a span counts as one; the id is a feature, other comments are kept', async () => {
    const comments = ['id = 7', 'text-en = \u{1F600} rain today?', 'text = \u{1F600} Regen  heute?', 'intent = find'];
    const file = sentence(comments, '\u{1F600} find O', 'Regen find B-what', 'heute find B-when', '? find O');
    const { records, lines, problems } = await readAll(conllFormat, file + file);
    expect(problems).toEqual([]);
    expect(records[0]).toEqual({
      text: '\u{1F600} Regen  heute?',
      intent: 'find',
      entities: [
        { type: 'what', start: 2, end: 7, text: 'Regen' },
        { type: 'when', start: 9, end: 14, text: 'heute' },
      ],
      features: { sentence: '7' },
      meta: { 'text-en': '\u{1F600} rain today?' },
    });
    expect(lines).toEqual([1, 10]);
  });

  test('tags make spans: I goes on with its own type, E ends, S stands alone', async () => {
    const file = 'a\tB-x\nb\tI-x\nc\tI-y\nd\tB-y\ne\tE-y\nf\tS-y\ng\tO\nh\tI-y\ni\t_\n';
    const { records, report } = await readAll(conllFormat, file);
    expect(records[0]?.text).toBe('a b c d e f g h i');
    expect(records[0]?.entities?.map(({ type, text }) => `${type} ${text}`)).toEqual([
      'x a b',
      'y c',
      'y d e',
      'y f',
      'y h',
    ]);
    expect(report.notes.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'mended: texts were put together from words, with a blank between them',
      'mended: spans that begin with I- were taken as they are',
    ]);
  });

  test('the intent is that of the comment or of the column, and the language that of the file', async () => {
    const file = [
      '# text: hello you\r\n# intent: hi\r\n# slots: 0:5:x\r\nhello\tO\r\nyou\tO\r\n',
      'stop\tend\tO\n# \tend\tO\n',
      '# lang = de\n1\tja\t_\tO\n',
      '1\tO\n2\tB-number\n',
      '# text = a\tb\na\tO\nb\tO\n',
    ];
    const { records, problems } = await readAll(conllFormat, file.join('\n'));
    expect(problems).toEqual([]);
    expect(records).toEqual([
      { text: 'hello you', intent: 'hi' },
      { text: 'stop #', intent: 'end' },
      { text: 'ja', lang: 'de' },
      { text: '1 2', entities: [{ type: 'number', start: 2, end: 3, text: '2' }] },
      { text: 'a\tb' },
    ]);
  });

  test('words need not be divided by blanks, nor blanks by words', async () => {
    const file = [
      sentence(['text = 今日 は雨', 'intent = w'], '今 w B-d', '日 w I-d', 'は w O', '雨 w O'),
      '# text = New York now\nNew York\tB-c\nnow\tO\n\n',
      '# text = to Rome \n1\tto\tw\tO\n2\tRome\tw\tB-c\n3\t\tw\tO\n',
    ];
    const { records, problems } = await readAll(conllFormat, file.join(''));
    expect(problems).toEqual([]);
    expect(records.map(({ entities = [] }) => entities[0]?.text)).toEqual(['今日', 'New York', 'Rome']);
  });

  test('where words and text differ, a span is where its words occur once; else both are named', async () => {
    const file = [
      '# text = please go to New York!\ngo\tO\nto\tO\nNew\tB-c\nYork\tI-c\n',
      '# text = go to 東京駅\n東京\tB-c\n駅\tI-c\n',
      '# text = so and so\nso\tB-c\n',
      '# text = plain\nother\tO\n',
    ];
    const { records, problems } = await readAll(conllFormat, file.join('\n'));
    expect(records.map(({ entities = [] }) => entities[0]?.text)).toEqual(['New York', '東京駅', undefined]);
    expect(shown(problems)).toEqual(['3:11 entities the words "so" are not in the text "so and so", or not only once']);
  });

  test('each bad sentence is a problem with its line, and its neighbours are read', async () => {
    const file = [
      'word\n',
      '1\t\tw\tB-x\n',
      'a\tX-y\n',
      sentence(['intent = p'], 'a q O'),
      'a\tp\tO\nb\tq\tO\n',
      '# id = 1\na\tO\n# id = 2\nb\tO\n',
      '# __proto__ = 1\na\tO\n',
      '# id = 3\n',
      `# text = ${'x '.repeat(40_000)}\nx\tB-y\n`,
      'a\tB-x\n'.repeat(1001),
      'ok\tO',
    ];
    const { records, problems } = await readAll(conllFormat, file.map((each) => each.trimEnd()).join('\n\n'));
    expect(records).toEqual([{ text: 'ok' }]);
    expect(shown(problems)).toEqual([
      '1:1 - word 1 has no tag, or is empty: "word"',
      '2:3 - word 1 has no tag, or is empty: "1\\t\\tw\\tB-x"',
      '3:5 entities word 1 has the tag "X-y", not O, B-… or I-…',
      '4:7 - the sentence has several intents: "q", "p"',
      '5:10 - the sentence has several intents: "p", "q"',
      '6:13 - the comment "id" occurs twice: is there no blank line between two sentences?',
      '7:18 - the comment "__proto__" is not allowed',
      '8:21 text "text" is empty',
      '9:23 text "text" has 79999 bytes, more than the 32768 allowed',
      '10:26 entities the sentence has 1001 spans, more than the 1000 allowed',
    ]);
    expect(problems[3]?.raw).toBe('# intent = p\n1\ta\tq\tO');
  });

  test('whatever blanks stand between words, each span covers its words', async () => {
    const form = fc.string({
      unit: fc.constantFrom('a', 'b', '7', 'é', '\u05d0', '東', '\u{1F600}', '-'),
      minLength: 1,
      maxLength: 4,
    });
    const word = fc.record({
      form,
      tag: fc.constantFrom('O', 'B-x', 'I-x', 'B-y'),
      blank: fc.constantFrom('', ' ', '  ', '\u3000'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
        const text = words.map(({ form, blank }) => form + blank).join('');
        const rows = words.map(({ form, tag }, index) => `${index + 1}\t${form}\tw\t${tag}\n`);
        const { records, problems } = await readAll(conllFormat, `# text = ${text}\n${rows.join('')}`);
        expect(problems).toEqual([]);
        const marked = words
          .filter(({ tag }) => tag !== 'O')
          .map((each) => each.form)
          .join('');
        const covered = (records[0]?.entities ?? []).map((entity) => entity.text).join('');
        expect(covered.replaceAll(/\s/gu, '')).toBe(marked);
      }),
    );
  });
});

test.each([
  ['conll', '# id = 1\n# text = hi\n# intent = a\n1\thi\ta\tO\n', 'stdin'],
  ['conll', 'a\tB-x\nb\tI-x\n\nc\tO\n', 'a.txt'],
  ['conll', '', 'a.conll'],
  ['tsv', 'text\tlabel\nhi\tO\n', 'a.tsv'],
  ['tsv', 'a\tO\nb\tO\n', 'a.tsv'],
])('%s: %j in %s', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

describe('real files', () => {
  test.skipIf(!HAS_DATA).each([
    ['ar', 300, 15, 602, 18],
    ['de', 300, 15, 607, 18],
    ['it', 300, 15, 604, 17],
    ['ja', 150, 9, 195, 19],
    ['tr', 300, 15, 600, 18],
    ['zh', 300, 15, 604, 17],
  ])(
    `xSID %s: %i sentences, %i intents, %i spans, %i texts more than once${NO_DATA}`,
    async (language, count, intentCount, spanCount, repeatedCount) => {
      const bytes = await dataFile(`xsid/${language}.valid.conll`);
      const { records, problems, report } = await readAll(conllFormat, bytes);
      expect([records.length, problems, report.notes]).toEqual([count, [], []]);
      expect(new Set(records.map(({ intent }) => intent)).size).toBe(intentCount);
      expect(new Set(records.map(({ features }) => features?.['sentence'])).size).toBe(count);
      expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(spanCount);
      expect(bytes.toString().match(/\tB-\S+$/gmu)).toHaveLength(spanCount);
      const texts = [...Map.groupBy(records, ({ text }) => text).values()];
      expect(texts.filter(({ length }) => length > 1)).toHaveLength(repeatedCount);
      expect(texts.filter((same) => new Set(same.map(({ intent }) => intent)).size > 1)).toEqual([]);
    },
  );

  test.skipIf(!HAS_DATA)(`the same sentence has the same feature in each language${NO_DATA}`, async () => {
    const groups = new Set<unknown>();
    for (const language of ['ar', 'de', 'it', 'ja', 'tr', 'zh']) {
      const { records } = await readAll(conllFormat, await dataFile(`xsid/${language}.valid.conll`));
      for (const { features } of records) groups.add(features?.['sentence']);
    }
    expect(groups.size).toBe(300);
  });

  test.skipIf(!HAS_DATA)(`no other file is taken for CoNLL${NO_DATA}`, async () => {
    const found: string[] = [];
    for await (const { path, head } of dataFiles()) if (conllFormat.sniff(head, 'stdin') > 0) found.push(path);
    expect(found.sort()).toEqual(
      ['ar', 'de', 'it', 'ja', 'tr', 'zh'].map((language) => `xsid/${language}.valid.conll`),
    );
  });
});
