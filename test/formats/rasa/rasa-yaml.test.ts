/** Rasa NLU YAML: what is read from every form of it, and what is written. */
import { describe, expect, test } from 'vitest';
import { rasaYamlFormat } from '../../../src/formats/rasa/rasa-yaml.ts';
import { readAll, shown, writeAll } from '../support.ts';

const FULL = `version: "3.1"

# a comment
nlu:
- intent: book_flight
  metadata: {sentiment: neutral, tags: [a, b]}
  examples: |
    - fly to [Berlin](city)
    -   from [SFO]{"entity": "city", "role": "departure", "group": "1", "value": "San Francisco"}

    # not an example
- intent: faq/ask_fee
  examples: |
    - what is the fee?
- intent: greet+ask
  examples:
  - text: |
      hi
    metadata: {source: chat, sentiment: good}
  - text: "two\\nlines [x](y)"
- synonym: credit
  examples: |
    - credit card account
- regex: account_number
  examples: |
    - \\d{10,12}
- lookup: banks
  examples: |
    - JPMC
responses:
  utter_x:
  - text: hello
`;

describe('reading', () => {
  test('intents, entities, metadata and the rest are told apart', async () => {
    const { records, lines, problems, report } = await readAll(rasaYamlFormat, FULL);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: 'fly to Berlin',
        intent: 'book_flight',
        entities: [{ start: 7, end: 13, type: 'city', text: 'Berlin' }],
        features: { sentiment: 'neutral' },
        meta: { tags: ['a', 'b'] },
      },
      {
        text: 'from SFO',
        intent: 'book_flight',
        entities: [
          { start: 5, end: 8, type: 'city', role: 'departure', group: '1', value: 'San Francisco', text: 'SFO' },
        ],
        features: { sentiment: 'neutral' },
        meta: { tags: ['a', 'b'] },
      },
      { text: 'what is the fee?', intent: 'faq/ask_fee' },
      {
        text: 'hi',
        intent: ['ask', 'greet'],
        features: { source: 'chat', sentiment: 'good' },
        meta: { rasa_intent: 'greet+ask' },
      },
      {
        text: 'two\nlines x',
        intent: ['ask', 'greet'],
        entities: [{ start: 10, end: 11, type: 'y', text: 'x' }],
        meta: { rasa_intent: 'greet+ask' },
      },
    ]);
    expect(lines).toEqual([8, 9, 14, 17, 20]);
    expect(report.notes).toEqual([
      { code: 'ignored', message: 'comments among the examples, which Rasa passes over, too', count: 1 },
      { code: 'side-information', message: 'other keys of the file: responses', count: 1 },
      { code: 'side-information', message: 'synonyms: credit', count: 1 },
      { code: 'side-information', message: 'regular expressions: account_number', count: 1 },
      { code: 'side-information', message: 'lookup tables: banks', count: 1 },
    ]);
  });

  test('names are what stands in the file, whatever YAML makes of them', async () => {
    const names = ['yes', '1.0', '007', 'true', 'off', '"a: b"', "'@x'", '"\\u00e9"', '0x1F'];
    const text = `nlu:\n${names.map((name) => `- intent: ${name}\n  examples: |\n    - x\n`).join('')}`;
    const { records } = await readAll(rasaYamlFormat, text);
    expect(records.map(({ intent }) => intent)).toEqual([
      'yes',
      '1.0',
      '007',
      'true',
      'off',
      'a: b',
      '@x',
      'é',
      '0x1F',
    ]);
  });

  test('examples under an intent without a name are unlabelled', async () => {
    const text =
      'nlu:\n- intent:\n  examples: |\n    - a\n- intent: ""\n  examples: |\n    - b\n- intent: ~\n  examples: |\n    - c\n';
    expect((await readAll(rasaYamlFormat, text)).records).toEqual([{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  });

  test('every fault is a problem of its row, with the line', async () => {
    const text = `nlu:
- intent: a
  examples: |
    - good
    bad
    -
    - [x]{y}
      - deeper
- story: b
- plain
- intent: [c]
- intent: d
  examples: 7
- intent: e
  examples: >
    - one
    - two
- intent: f
  examples:
  - {metadata: {a: 1}}
  - text: [1]
  - 12
  -
  - hello
  - text: t
    metadata: {role: 1, features: {role: 2}}
- intent: g
`;
    const { records, problems, report } = await readAll(rasaYamlFormat, text);
    expect(records.map((record) => record.text)).toEqual(['good', '12', 'hello']);
    expect(shown(problems)).toEqual([
      '2:5 text the line does not start with "-", so Rasa would pass over it',
      '3:6 text "text" is empty',
      expect.stringContaining('4:7 text after "[x]", {y} is no annotation') as string,
      '5:8 text the line does not start with "-", so Rasa would pass over it',
      '6:9 - an item of "nlu" has no "intent", "synonym", "regex" or "lookup"; its keys are story',
      '7:10 - an item of "nlu" is a text, not an object with "intent"',
      '8:11 intent the intent is a list, not a name',
      '9:13 text the examples are a number, not a block of lines or a list',
      '10:15 text the examples follow ">", which joins their lines into one: put "|" there',
      '11:20 text an example has no "text"',
      '12:21 text an example has a "text" that is a list',
      '15:25 metadata the metadata has "role" twice',
    ]);
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['examples in a list without "text:", which Rasa refuses', 2],
      ['intents without examples', 1],
    ]);
  });

  test('metadata of an example is nearer than that of its intent; keys without a place are named', async () => {
    const text = `nlu:
- intent: a
  metadata: {who: x, id: i}
  colour: red
  examples:
  - text: one
    metadata: {who: y}
    more: 1
  - text: two
    metadata: free
`;
    const { records, report } = await readAll(rasaYamlFormat, text);
    expect(records).toEqual([
      { text: 'one', intent: 'a', id: 'i', features: { who: 'y' } },
      { text: 'two', intent: 'a', id: 'i', features: { who: 'x', metadata: 'free' } },
    ]);
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['the key "colour" of intents was passed over', 1],
      ['the key "more" of examples was passed over', 1],
      ['metadata of an intent that its example gives anew', 1],
    ]);
  });

  test('line ends of Windows, a mark and several documents are no trouble', async () => {
    const text =
      '\ufeffversion: "3.1"\r\nnlu:\r\n- intent: a\r\n  examples: |\r\n    - x\r\n    - y\r\n---\r\nnlu:\r\n- intent: b\r\n  examples: |\r\n    - z\r\n';
    const { records, lines } = await readAll(rasaYamlFormat, text);
    expect(records.map((record) => `${String(record.intent)} ${record.text}`)).toEqual(['a x', 'a y', 'b z']);
    expect(lines).toEqual([5, 6, 11]);
  });

  test('anchors are followed', async () => {
    const text = 'nlu:\n- intent: a\n  examples: &same |\n    - x\n- intent: b\n  examples: *same\n';
    const { records } = await readAll(rasaYamlFormat, text);
    expect(records).toEqual([
      { text: 'x', intent: 'a' },
      { text: 'x', intent: 'b' },
    ]);
  });

  test.each([
    ['', 'memory has no list "nlu": it is empty'],
    ['stories: []\n', 'memory has no list "nlu": its keys are stories'],
    ['- a\n', 'memory has no list "nlu": it holds a list'],
    ['nlu: x\n', 'memory has no list "nlu": "nlu" is a text'],
    ['nlu:\n- intent: a\n  intent: b\n', 'memory:3: it is not valid YAML'],
    ['nlu:\n- intent: a\nnlu: []\n', 'memory:3: it is not valid YAML'],
    ['nlu:\n- intent: a\n  examples: |\n    - x\n- intent: "b\n', 'it is not valid YAML'],
    [`a: &a [x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]\nnlu: []\n`, 'more than 100 aliases'],
  ])('%j is refused as a whole', async (text, message) => {
    await expect(readAll(rasaYamlFormat, text)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message) as string,
    });
  });

  test('deep nesting is refused as a whole', async () => {
    const text = `nlu: ${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    await expect(readAll(rasaYamlFormat, text)).rejects.toMatchObject({ message: 'memory:1: it is nested too deep' });
  });

  test('keys that reach a prototype are refused with their row', async () => {
    const text = 'nlu:\n- intent: a\n  examples:\n  - text: x\n    metadata: {__proto__: {a: 1}, constructor: 2}\n';
    const { records, problems } = await readAll(rasaYamlFormat, text);
    expect(records).toEqual([]);
    expect(shown(problems)).toEqual([
      '1:4 features.constructor "features.constructor" may not be constructor',
      '1:4 meta "meta" has a field whose name may not be __proto__',
    ]);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('recognising', () => {
  test.each([
    ['nlu:\n- intent: a\n', 'x', 0.95],
    ['version: "2.0"\n\nnlu:\n# c\n\n  - synonym: a\n', 'x', 0.95],
    ['nlu: []\n', 'x', 0.6],
    ['version: "3.1"\nstories:\n- story: a\n', 'x.yml', 0.3],
    ['version: "3.1"\nstories:\n- story: a\n', 'x', 0],
    ['nlu:\n- name: a\n', 'x.yml', 0],
    ['services:\n  nlu:\n  - intent: a\n', 'docker-compose.yml', 0],
    ['text,intent\nnlu:,a\n', 'a.csv', 0],
  ])('%j called %s: %d', (text, name, confidence) => {
    expect(rasaYamlFormat.sniff(Buffer.from(text), name)).toBe(confidence);
  });
});

describe('writing', () => {
  test('intents come in the order of their names, lines in their own', async () => {
    const bytes = await writeAll(rasaYamlFormat, [
      { text: 'go \u{1F680} to Rome', intent: 'fly', entities: [{ start: 8, end: 12, type: 'city', text: 'Rome' }] },
      { text: '- dash', intent: 'a b/c' },
      { text: 'hi', intent: 'yes' },
      { text: '# no comment', intent: 'fly' },
      { text: 'x', intent: ['c', 'd'] },
      { text: 'x', intent: ['c', 'd'], meta: { rasa_intent: 'd+c' } },
    ]);
    expect(bytes.toString()).toBe(`version: "3.1"
nlu:
- intent: a b/c
  examples: |
    - - dash
- intent: c+d
  examples: |
    - x
- intent: d+c
  examples: |
    - x
- intent: fly
  examples: |
    - go \u{1F680} to [Rome](city)
    - # no comment
- intent: "yes"
  examples: |
    - hi
`);
  });

  test.each([
    ['null', '"null"'],
    ['On', '"On"'],
    ['1.0', '"1.0"'],
    ['a: b', '"a: b"'],
    ['a #b', '"a #b"'],
    ['@a', '"@a"'],
    ['*a', '"*a"'],
    ['&a', '"&a"'],
    ['-', '"-"'],
    ['a\ufeffb', '"a\\ufeffb"'],
    ['größe', 'größe'],
    ['faq/ask.fee-1', 'faq/ask.fee-1'],
  ])('the name %j is written as %s', async (intent, name) => {
    const bytes = await writeAll(rasaYamlFormat, [{ text: 'x', intent }]);
    expect(bytes.toString()).toBe(`version: "3.1"\nnlu:\n- intent: ${name}\n  examples: |\n    - x\n`);
    expect((await readAll(rasaYamlFormat, bytes)).records).toEqual([{ text: 'x', intent }]);
  });

  test('fields that Rasa does not know are metadata, and lines that a block cannot hold are quoted', async () => {
    const records = [
      {
        text: 'one',
        intent: 'a',
        id: '7',
        lang: 'en',
        features: { role: 'x', id: 3 },
        meta: { l: [1], s: 's', role: {} },
      },
      { text: 'two\u2028lines\u0085\nmore', intent: 'a' },
    ];
    const bytes = await writeAll(rasaYamlFormat, records);
    expect(bytes.toString()).toBe(`version: "3.1"
nlu:
- intent: a
  examples:
  - text: "one"
    metadata: {"features":{"id":3},"id":"7","l":[1],"lang":"en","meta":{"role":{},"s":"s"},"role":"x"}
  - text: "two\\u2028lines\\u0085\\nmore"
`);
    expect((await readAll(rasaYamlFormat, bytes)).records).toEqual(records);
  });

  test('what cannot be carried is left out and counted', async () => {
    const writing = rasaYamlFormat.write?.(async function* () {
      yield [
        { text: 'no intent' },
        { text: 'a', intent: 'x+y' },
        { text: 'a literal [x](y)', intent: 'a' },
        { text: 'x', intent: 'a', entities: [{ start: 0, end: 1, type: 't', text: 'x', value: 'x' }] },
      ];
    });
    const bytes = Buffer.concat(await Array.fromAsync(writing ?? []));
    expect((await readAll(rasaYamlFormat, bytes)).records).toHaveLength(1);
    expect(writing?.report.records).toBe(1);
    expect(writing?.report.losses.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'record: no intent',
      'record: intents whose names Rasa would divide at "+" otherwise',
      'record: brackets or entities that Rasa would read otherwise (rasa-json carries them)',
      'entities.value: values that are the covered text itself, which is what Rasa takes anyway',
    ]);
  });

  test('no records are an empty list', async () => {
    const bytes = await writeAll(rasaYamlFormat, []);
    expect(bytes.toString()).toBe('version: "3.1"\nnlu: []\n');
    expect((await readAll(rasaYamlFormat, bytes)).records).toEqual([]);
  });
});
