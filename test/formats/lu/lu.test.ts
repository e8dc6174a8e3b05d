import { describe, expect, test } from 'vitest';
import { luFormat } from '../../../src/formats/lu/lu.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { WriteOptions } from '../../../src/formats/format.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { dataFile, dataFiles, HAS_DATA, NO_DATA, readAll, shown, writeAll } from '../support.ts';

/** The records of items under one intent. */
async function itemsOf(...items: readonly string[]): Promise<readonly UtteranceRecord[]> {
  const { records, problems } = await readAll(luFormat, `# Book\n${items.map((item) => `- ${item}\n`).join('')}`);
  expect(problems).toEqual([]);
  return records;
}

describe('reading .lu', () => {
  test('an emoji before a label counts as one, and each item has its line', async () => {
    const file =
      '\ufeff> made by hand\r\n\r\n## Send\r\n- mail \u{1F600} {@Name=bob} now\r\n* stop\r\n\t+ {Name = ann lee}\r\n';
    const { records, lines } = await readAll(luFormat, file);
    expect(records).toEqual([
      {
        text: 'mail \u{1F600} bob now',
        intent: 'Send',
        entities: [{ type: 'Name', start: 7, end: 10, text: 'bob' }],
      },
      { text: 'stop', intent: 'Send' },
      { text: 'ann lee', intent: 'Send', entities: [{ type: 'Name', start: 0, end: 7, text: 'ann lee' }] },
    ]);
    expect(lines).toEqual([4, 5, 6]);
  });

  test('labels have roles, and lie in each other', async () => {
    const [flight, order] = await itemsOf('to {@city:to=Rome}', 'buy {@Order={@Count= two} {Thing=ripe apples}} now');
    expect(flight?.entities).toEqual([{ type: 'city', role: 'to', start: 3, end: 7, text: 'Rome' }]);
    expect(order?.text).toBe('buy two ripe apples now');
    expect(order?.entities?.map(({ type, text }) => [type, text])).toEqual([
      ['Order', 'two ripe apples'],
      ['Count', 'two'],
      ['Thing', 'ripe apples'],
    ]);
  });

  test('a label may give the role alone where one entity has declared it', async () => {
    const definitions = [
      '@ prebuilt personName hasRoles userName, "nick name" usesFeatures f',
      '@ ml city',
      '@ city hasRole to',
      '@ ml place hasRoles to, place',
      '$Date:simple roles=[start, end]',
    ];
    const labels = ['{@userName=a}', '{@nick name=a}', '{@to=a}', '{@place=a}', '{@end=a}', '{@personName:x=a}'];
    const file = `${definitions.join('\n')}\n# Hi\n${labels.map((label) => `- ${label}\n`).join('')}`;
    const { records, report } = await readAll(luFormat, file);
    expect(records.map(({ entities = [] }) => [entities[0]?.type, entities[0]?.role])).toEqual([
      ['personName', 'userName'],
      ['personName', 'nick name'],
      ['to', undefined],
      ['place', undefined],
      ['Date', 'end'],
      ['personName', 'x'],
    ]);
    expect(report.notes.map(({ message }) => message)).toEqual([
      'prebuilt entities: personName',
      'machine-learned entities: city, place, Date',
    ]);
  });

  test('escaped braces are braces, and a backslash before a label is doubled', async () => {
    const records = await itemsOf(
      String.raw`a \{b\} c`,
      String.raw`\\\{x`,
      String.raw`c:\\{@dir=temp\\new\}\x}`,
      String.raw`say \[hi\] \(or\|not\) \n`,
    );
    expect(records.map(({ text }) => text)).toEqual([
      'a {b} c',
      String.raw`\\{x`,
      String.raw`c:\temp\new}\x`,
      String.raw`say [hi] (or\|not) \n`,
    ]);
    expect(records[2]?.entities).toEqual([{ type: 'dir', start: 3, end: 14, text: String.raw`temp\new}\x` }]);
  });

  test.each([
    'add {itemTitle} to my list',
    'add {@itemTitle:role} to {@list=mine}',
    'say "{Message.Any}"',
    '[please] stop',
    '(stop|end) it',
    '^(a) (b|c)^',
  ])('a pattern is a template without a label: %s', async (pattern) => {
    const { records, report } = await readAll(luFormat, `# Book\n- ${pattern}\n`);
    expect(records).toEqual([{ text: pattern, meta: { template: true, intent: 'Book' } }]);
    expect(report.notes).toEqual([
      { code: 'template', message: 'patterns were kept as templates without a label', count: 1 },
    ]);
  });

  test.each(['(really) stop', 'a ) b | c (', 'stop ] now [', '{@x=[y]} (a|b)', '^hi^'])(
    'brackets that make no pattern are text: %s',
    async (line) => {
      const [record] = await itemsOf(line);
      expect([record?.intent, record?.text]).toEqual(['Book', line.replace('{@x=[y]}', '[y]')]);
    },
  );

  test('items under a definition are no utterances, until the next heading', async () => {
    const file = [
      '# Book',
      '- go',
      '@ list kind(interchangeable) =',
      '\t- todo :',
      '\t\t- to do',
      '',
      '> a comment ends nothing',
      '- laundry',
      '@ phraseList more(interchangeable) =',
      '- plus',
      "@ composite 'my order' = [a, b]",
      '@ regex zip = /[0-9]{5}/',
      '@ patternany any',
      '@ intent Book usesFeature more',
      '@ something',
      '$device:thermostat=',
      '- heater',
      '$code:/[0-9]/',
      '$pair:[a, b]',
      '$words:phraseList',
      '$PREBUILT:number',
      '$when:datetimeV2',
      '# Stop',
      '- stop',
    ];
    const { records, problems, report } = await readAll(luFormat, file.join('\n'));
    expect(problems).toEqual([]);
    expect(records.map(({ text }) => text)).toEqual(['go', 'stop']);
    expect(report.notes.map(({ message, count }) => `${count} ${message}`)).toEqual([
      '2 list entities: kind, device',
      '2 phrase lists: more, words',
      '2 composite entities: my order, pair',
      '2 regex entities: zip, code',
      '1 Pattern.Any entities: any',
      '1 intents with features: Book',
      '2 other definitions: something, when',
      '1 prebuilt entities: number',
    ]);
  });

  test('questions with answers are passed over and counted, whatever is in their fences', async () => {
    const file = ['# Hi', '- hello', '# ? who are you', '- you', '```markdown', '# not an intent', '- no', '```'];
    const more = ['## ? more', '```', 'x', '```', '**Filters:**', '- a = b', '# Bye', '- bye', '# Empty'];
    const { records, problems, report } = await readAll(luFormat, [...file, ...more].join('\n'));
    expect(problems).toEqual([]);
    expect(records.map(({ text }) => text)).toEqual(['hello', 'bye']);
    expect(report.notes.map(({ message, count }) => `${count} ${message}`)).toEqual([
      '1 intents without utterances: Empty',
      '2 questions with answers were passed over',
    ]);
  });

  test('settings give the language and nest sections; references are named', async () => {
    const file = [
      '> !# @app.culture = de-de',
      '> !# @enableSections = true',
      '> !# @app.name = my bot',
      '[other](./other.lu)',
      '- before all',
      '# Ask',
      '## Yes',
      '- ja',
      '- [no](./no.lu#No)',
      '## Maybe',
      '- [viel]leicht',
      '# Stop',
      '- halt',
    ];
    const { records, report } = await readAll(luFormat, file.join('\n'));
    expect(records).toEqual([
      { text: 'before all', lang: 'de-de' },
      { text: 'ja', intent: 'Yes', lang: 'de-de', meta: { section: 'Ask' } },
      { text: '[viel]leicht', lang: 'de-de', meta: { template: true, intent: 'Maybe', section: 'Ask' } },
      { text: 'halt', intent: 'Stop', lang: 'de-de' },
    ]);
    expect(report.notes.slice(1).map(({ message }) => message)).toEqual([
      'settings: app.name',
      'references to other files: [other](./other.lu), [no](./no.lu#No)',
      'intents without utterances: Ask',
    ]);
  });

  test('each bad line is a problem with its line, and its neighbours are read', async () => {
    const bad = [
      '- {@a=b',
      '- a } b',
      '- {@=b}',
      '- {@a=}',
      '- {a{b=c}}',
      '-',
      'words',
      `- ${'x'.repeat(300_000)}`,
      '##',
    ];
    const { records, problems } = await readAll(luFormat, ['# A', ...bad, '- good'].join('\n'));
    expect(records).toEqual([{ text: 'good' }]);
    expect(shown(problems)).toEqual([
      '1:2 text a label is not closed; a brace that is meant as such is written \\{',
      '2:3 text a brace closes no label; one that is meant as such is written \\}',
      '3:4 text a label has no name',
      '4:5 text the label "a" is empty',
      '5:6 text a brace opens no label; one that is meant as such is written \\{',
      '6:7 text "text" is empty',
      '7:8 - the line is no heading, no item, no definition and no comment',
      '8:9 text the line has more than 262144 characters',
      '9:10 intent the heading names no intent',
    ]);
    expect(problems[0]?.raw).toBe('- {@a=b');
  });

  test('labels nested without end are a problem, not an overflow', async () => {
    const { problems } = await readAll(luFormat, `# A\n- ${'{a='.repeat(50_000)}x${'}'.repeat(50_000)}\n`);
    expect(shown(problems)).toEqual([expect.stringContaining('more than the 1000 allowed')]);
  });

  test('lines of blanks, braces and backslashes without end are read in one pass', async () => {
    const blanks = ' '.repeat(1_000_000);
    const lines = [`${blanks}# A`, `- a${blanks}`, `>!# @x${blanks}= 1`, `@ ml a hasRoles${blanks}b`, '# B'];
    const long = ['\\', '\\{', '{', '{a=b}', '[](', '(|'].map((part) => `- ${part.repeat(60_000)}`);
    const { records, problems } = await readAll(luFormat, [...lines, ...long].join('\n'));
    expect(records).toEqual([{ text: 'a', intent: 'A' }]);
    expect(problems.map(({ line }) => line)).toEqual([6, 7, 8, 9, 10, 11]);
  });

  test('names that reach a prototype are a problem of their row', async () => {
    const { problems, records } = await readAll(luFormat, '# __proto__\n- a\n# B\n- {@constructor=x}\n- ok\n');
    expect(problems.map(({ line, column }) => [line, column])).toEqual([
      [2, 'intent'],
      [4, 'entities[0].type'],
      [4, 'entities[0].type'],
    ]);
    expect(records).toHaveLength(1);
  });
});

test.each([
  ['lu', '# Hi\n- {@name=bob}\n', 'stdin'],
  ['lu', '# Hi\n- hello\n\n@ ml name\n', 'stdin'],
  ['lu', '> !# @app.culture = en-us\n# Hi\n- hello\n', 'stdin'],
  ['lu', '## Hi\n- hello, you\n- bye, you\n', 'a.lu'],
  ['lu', '# ? who are you\n```markdown\nme\n```\n', 'a.lu'],
  ['lu', '', 'a.LU'],
  ['none', '# Groceries\n- milk\n- eggs\n', 'a.md'],
  ['none', '## intent:hi\n- hello {@a=b}\n', 'nlu'],
  ['none', '# Title\nwords\n- {@a=b}\n', 'a'],
  ['none', '# ? who\n', 'a'],
  ['csv', 'text,intent\n# Hi,{@a=b}\n', 'a'],
])('%s: %j in %s', (name, content, file) => {
  expect(nameOf(Buffer.from(content), file)).toBe(name);
});

function nameOf(head: Uint8Array, file: string): string {
  try {
    const { name } = detectFormat(head, file).format;
    return name === 'rasa-md' ? 'none' : name;
  } catch {
    return 'none';
  }
}

async function lossesOf(records: readonly UtteranceRecord[], options: WriteOptions = {}): Promise<string[]> {
  const writing = luFormat.write?.(async function* () {
    yield records;
  }, options);
  if (writing === undefined) return [];
  let length = 0;
  for await (const bytes of writing) length += bytes.length;
  expect(length > 0).toBe(writing.report.records > 0);
  return writing.report.losses.map(({ field, message, count }) => `${count} ${field}: ${message}`);
}

describe('writing .lu', () => {
  test('intents are in order, with labels, escapes, patterns and definitions', async () => {
    const records: UtteranceRecord[] = [
      { text: 'stop [it] (now) {x}', intent: 'Stop', lang: 'en' },
      {
        text: 'a \u{1F600} \\two {red} apples [x]',
        intent: 'Buy',
        lang: 'en',
        entities: [
          { type: 'my order', start: 5, end: 21, text: 'two {red} apples' },
          { type: 'Count', role: 'how many', start: 5, end: 8, text: 'two' },
        ],
      },
      { text: 'buy {thing}', lang: 'en', meta: { template: true, intent: 'Buy' } },
    ];
    const bytes = await writeAll(luFormat, records);
    expect(bytes.toString()).toBe(
      [
        '> !# @app.culture = en',
        '',
        '# Buy',
        '- a \u{1F600} \\\\{@my order={@Count:how many=two} \\{red\\} apples} [x]',
        '- buy {thing}',
        '',
        '# Stop',
        '- stop \\[it\\] \\(now\\) \\{x\\}',
        '',
        '@ ml Count hasRoles "how many"',
        '@ ml "my order"',
        '',
      ].join('\n'),
    );
    const read = await readAll(luFormat, bytes);
    expect(read.problems).toEqual([]);
    expect(read.records).toEqual([records[1], records[2], records[0]]);
  });

  test('what a file cannot carry is counted', async () => {
    const losses = await lossesOf([
      { text: 'a', intent: 'X', id: '1', lang: 'en', features: { n: 1 }, meta: { by: 'me' } },
      { text: 'b', intent: 'a:b' },
      { text: 'c', intent: 'X', entities: [{ type: 't', start: 0, end: 1, text: 'c', group: '1', value: 'v' }] },
      { text: '[d]', meta: { template: true, intent: 'X', section: 'S' } },
    ]);
    expect(losses).toEqual([
      '1 id: .lu has no place for "id"',
      '1 features: .lu has no place for "features"',
      '2 meta: .lu has no place for "meta"',
      '1 names: Bot Framework refuses names with any of < > * % & : \\ $',
      '1 entities.group: .lu has no place for the group of an entity',
      '1 entities.value: .lu has no place for the value of an entity',
      '1 lang: a .lu file has one language, and these records have several, or not all have one',
    ]);
  });

  test('what would be read back as another record is left out', async () => {
    const label = (start: number, end: number, type = 't'): NonNullable<UtteranceRecord['entities']>[number] => ({
      type,
      start,
      end,
      text: 'abc'.slice(start, end),
    });
    const losses = await lossesOf([
      { text: 'none' },
      { text: 'two', intent: ['a', 'b'] },
      { text: 'l1\nl2', intent: 'a' },
      { text: 'abc', intent: 'a', entities: [label(0, 2), label(1, 3)] },
      { text: 'abc', intent: 'a', entities: [label(0, 2, 'x=y')] },
      { text: '\\{', intent: 'a' },
      { text: 'a', intent: '# a' },
      { text: 'a', intent: '? a' },
      { text: 'plain', meta: { template: true, intent: 'a' } },
      { text: '[x]', meta: { template: true, intent: '#' } },
    ]);
    expect(losses).toEqual([
      '1 record: an utterance of .lu needs an intent',
      '1 record: an utterance of .lu has one intent only',
      '1 record: an utterance of .lu is one line',
      '1 record: labels of .lu may lie in each other, but not overlap',
      '2 record: .lu would read the text or its labels back as another',
      '3 record: the intent cannot be a heading of .lu',
      '1 record: the template is no pattern of .lu',
    ]);
  });
});

describe('real files', () => {
  test.skipIf(!HAS_DATA).each([
    ['Email.lu', 620, 19, 15, 526, 0],
    ['General.zh-cn.lu', 457, 4, 19, 28, 39],
    ['todobotwithluissample.en-us.lu', 137, 25, 7, 63, 0],
  ])(
    `%s: %i items, %i of them patterns, %i intents, %i labels, %i texts more than once${NO_DATA}`,
    async (path, count, patternCount, intentCount, labelCount, repeatedCount) => {
      const { records, problems } = await readAll(luFormat, await dataFile(`bf-lu/${path}`));
      expect([records.length, problems]).toEqual([count, []]);
      const utterances = records.filter(({ intent }) => intent !== undefined);
      expect(records.length - utterances.length).toBe(patternCount);
      expect(new Set(utterances.map(({ intent }) => intent)).size).toBe(intentCount);
      expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(labelCount);
      const texts = Map.groupBy(utterances, ({ text }) => text);
      expect([...texts.values()].filter(({ length }) => length > 1)).toHaveLength(repeatedCount);
    },
  );

  test.skipIf(!HAS_DATA).each(['Email.lu', 'General.zh-cn.lu', 'todobotwithluissample.en-us.lu'])(
    `%s is the same after being written and read, and loses nothing${NO_DATA}`,
    async (path) => {
      const { records } = await readAll(luFormat, await dataFile(`bf-lu/${path}`));
      const intentOf = (record: UtteranceRecord): string => (record.intent ?? record.meta?.['intent']) as string;
      const sorted = records.toSorted((a, b) => (intentOf(a) === intentOf(b) ? 0 : intentOf(a) < intentOf(b) ? -1 : 1));
      const read = await readAll(luFormat, await writeAll(luFormat, records));
      expect(read.records).toEqual(sorted);
      expect(await lossesOf(records)).toEqual([]);
    },
  );

  test.skipIf(!HAS_DATA)(`no other file is taken for .lu${NO_DATA}`, async () => {
    const found: string[] = [];
    for await (const { path, head } of dataFiles()) if (luFormat.sniff(head, 'stdin') > 0) found.push(path);
    expect(found.sort()).toEqual(['bf-lu/Email.lu', 'bf-lu/General.zh-cn.lu', 'bf-lu/todobotwithluissample.en-us.lu']);
  });
});
