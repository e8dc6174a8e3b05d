/** Old wit.ai files: the intent is an entity, and values are JSON in strings. */
import { describe, expect, test } from 'vitest';
import { detectArchive, detectFormat } from '../../../src/formats/registry.ts';
import { witJsonFormat } from '../../../src/formats/wit/wit-json.ts';
import { readAll, shown } from '../support.ts';
import { zipOf } from '../zip-of.ts';

const INTENT = { entity: 'intent', value: '"book"' };

function file(...data: readonly unknown[]): string {
  return JSON.stringify({ data });
}

describe('reading an old wit.ai file', () => {
  test('the intent is taken out of the entities, and values out of their quotes', async () => {
    const { records, problems } = await readAll(
      witJsonFormat,
      file({
        text: '\u{1F6EB} from berlin on monday for 3',
        entities: [
          INTENT,
          { entity: 'location', role: 'from', value: '"berlin"', start: 8, end: 14 },
          { entity: 'datetime', value: '"2016-05-02"', start: 18, end: 24 },
          { entity: 'number', value: '3', start: 29, end: 30 },
          { entity: 'mood', value: '"good"' },
          { entity: 'loud' },
        ],
      }),
    );
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: '\u{1F6EB} from berlin on monday for 3',
        intent: 'book',
        entities: [
          { start: 7, end: 13, type: 'location', role: 'from', text: 'berlin' },
          { start: 17, end: 23, type: 'datetime', value: '2016-05-02', text: 'monday' },
          { start: 28, end: 29, type: 'number', text: '3' },
        ],
        features: { mood: 'good', loud: null },
      },
    ]);
  });

  test('offsets in code points are known by the value that lies there', async () => {
    const text = '\u{1F6EB}\u{1F6EB} from berlin';
    const { records } = await readAll(
      witJsonFormat,
      file({ text, entities: [{ entity: 'location', value: '"berlin"', start: 8, end: 14 }] }),
    );
    expect(records[0]?.entities).toEqual([{ start: 8, end: 14, type: 'location', text: 'berlin' }]);
  });

  test('texts without an intent are unlabelled; several intents are several labels', async () => {
    const { records, report } = await readAll(
      witJsonFormat,
      file({ text: 'a', entities: [] }, { _text: 'b' }, { text: 'c', entities: [INTENT, { ...INTENT, value: 'pay' }] }),
    );
    expect(records).toEqual([{ text: 'a' }, { text: 'b' }, { text: 'c', intent: ['book', 'pay'] }]);
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['texts without an intent are unlabelled', 2],
    ]);
  });

  test('what is wrong is told row by row', async () => {
    const bad = [
      7,
      {},
      { text: 'a', entities: [7] },
      { text: 'a', entities: [{ value: '"x"' }] },
      { text: 'a', entities: [{ entity: 'intent' }] },
      { text: 'a', entities: [{ entity: 'x', value: '"b"', start: 5, end: 9 }] },
      {
        text: 'a',
        entities: [
          { entity: 'x', value: '"b"' },
          { entity: 'x', value: { a: 1 } },
        ],
      },
      { text: 'a', entities: [{ entity: 'constructor', value: '"b"' }] },
    ];
    const { records, problems } = await readAll(witJsonFormat, file(...bad));
    expect(records).toEqual([]);
    expect(shown(problems)).toEqual([
      '1:1 entities is a number, not an object',
      '2:1 entities "text" is missing',
      '3:1 entities an entity has to be an object',
      '4:1 entities an entity has no name',
      '5:1 entities the intent has no value',
      '6:1 entities the entity x does not lie in the text',
      '7:1 entities the trait x has two values',
      '8:1 features.constructor "features.constructor" may not be constructor',
    ]);
    expect(problems[1]).toMatchObject({ pointer: '/data/1', raw: '{}' });
  });

  test('in an archive, expressions.json is read', async () => {
    const bytes = await zipOf({ 'app/app.json': {}, 'app/expressions.json': file({ text: 'a', entities: [INTENT] }) });
    const paths = ['app/app.json', 'app/expressions.json', 'app/entities/intent.json'];
    expect(detectArchive(paths, 'old.zip').format.name).toBe('wit-json');
    const reading = witJsonFormat.read({
      name: 'old.zip',
      async *chunks() {
        yield bytes;
      },
    });
    const batches = await Array.fromAsync(reading);
    expect(batches.flatMap(({ records, pointers }) => [records, pointers])).toEqual([
      [{ text: 'a', intent: 'book' }],
      ['expressions.json#/data/0'],
    ]);
  });

  test('what is no such file is refused, however deep it is', async () => {
    const archive = await zipOf({ 'app.json': {} });
    for (const content of ['[]', '{"data":{}}', '{', '{"data":['.repeat(100_000), '{"data":[],"data":[]}', archive]) {
      await expect(readAll(witJsonFormat, content)).rejects.toMatchObject({ code: 'bad-format' });
    }
  });
});

test('an old wit.ai file is recognised by its content', () => {
  const detected = detectFormat(Buffer.from(file({ text: 'a', entities: [INTENT] })), 'x.json');
  expect([detected.format.name, detected.reason]).toEqual(['wit-json', 'by its content']);
  expect(detectFormat(Buffer.from(file({ text: 'a', intent: 'b' })), 'x.json').format.name).toBe('json');
});
