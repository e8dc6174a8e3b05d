/** wit.ai: what of an app becomes records, and what an app is made of records. */
import { describe, expect, test } from 'vitest';
import { detectArchive } from '../../../src/formats/registry.ts';
import { witFormat } from '../../../src/formats/wit/wit.ts';
import { asSet, roundTrip } from '../odd-records.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, writeAll } from '../support.ts';
import { documentsIn, pathsIn, zipOf } from '../zip-of.ts';

const APP = { version: 20200513, name: 'app', lang: 'en', timezone: 'Etc/UTC' };

async function readRows(...utterances: readonly unknown[]): ReturnType<typeof readAll> {
  return readAll(witFormat, await zipOf({ 'app/app.json': APP, 'app/utterances/utterances-1.json': { utterances } }));
}

describe('reading a wit.ai app', () => {
  test('intents, entities with roles, and traits; the default role says nothing', async () => {
    const { records, problems } = await readRows({
      text: 'from SFO to LA in May',
      intent: 'fly',
      entities: [
        { entity: 'wit$location:from', start: 5, end: 8, body: 'SFO', entities: [] },
        { entity: 'city:city', start: 12, end: 14, body: 'LA' },
        { entity: 'wit$datetime:datetime', start: 18, end: 21, body: 'May', entities: [] },
        { entity: 'bare', start: 0, end: 4, body: 'from' },
      ],
      traits: [{ trait: 'wit$on_off', value: 'on' }],
    });
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: 'from SFO to LA in May',
        intent: 'fly',
        lang: 'en',
        entities: [
          { start: 0, end: 4, type: 'bare', text: 'from' },
          { start: 5, end: 8, type: 'wit$location', role: 'from', text: 'SFO' },
          { start: 12, end: 14, type: 'city', text: 'LA' },
          { start: 18, end: 21, type: 'wit$datetime', text: 'May' },
        ],
        features: { wit$on_off: 'on' },
      },
    ]);
  });

  test('offsets count in whatever makes the body lie there', async () => {
    const entity = (start: number, end: number, body: string): object => ({
      text: '\u{1F600}\u{1F600} to Rome, or Rome, or Bari',
      entities: [{ entity: 'city:city', start, end, body }],
    });
    const { records, problems } = await readRows(
      entity(8, 12, 'Rome'),
      entity(6, 10, 'Rome'),
      entity(0, 4, 'Bari'),
      entity(-1, 99, 'Bari'),
      entity(0, 4, 'Rome'),
      entity(1, 2, 'nowhere'),
    );
    expect(records.map(({ entities }) => [entities?.[0]?.start, entities?.[0]?.text])).toEqual([
      [6, 'Rome'],
      [6, 'Rome'],
      [24, 'Bari'],
      [24, 'Bari'],
    ]);
    expect(problems.map(({ row, column, message }) => `${row} ${column}: ${message}`)).toEqual([
      '5 entities: the entity city:city covers "Rome", but the text has "\u{1F600}\u{1F600}" from 0 to 4',
      String.raw`6 entities: the entity city:city covers "nowhere", but the text has "\ude00" from 1 to 2`,
    ]);
  });

  test('entities within entities lie flat, whether they count from the text or from the outer one', async () => {
    const nested = (start: number, end: number): object => ({
      text: 'to to Rome',
      entities: [
        {
          entity: 'trip:trip',
          start: 3,
          end: 10,
          body: 'to Rome',
          entities: [{ entity: 'word:word', start, end, body: 'to' }],
        },
      ],
    });
    const { records, problems } = await readRows(nested(3, 5), nested(0, 2));
    expect(problems).toEqual([]);
    for (const { entities } of records) {
      expect(entities?.map(({ start, end, type }) => [start, end, type])).toEqual([
        [3, 10, 'trip'],
        [3, 5, 'word'],
      ]);
    }
  });

  test('texts without an intent are unlabelled, and counted', async () => {
    const { records, report } = await readRows({ text: 'a' }, { text: 'b', intent: null }, { text: 'c', intent: 'x' });
    expect(records.map(({ intent }) => intent)).toEqual([undefined, undefined, 'x']);
    expect(report.notes).toEqual([
      {
        code: 'ignored',
        message: 'texts without an intent (out of scope, or not labelled yet) are unlabelled',
        count: 2,
      },
    ]);
  });

  test('documents of utterances come in the order of their numbers', async () => {
    const document = (text: string): object => ({ utterances: [{ text, intent: 'x' }] });
    const bytes = await zipOf({
      'app.json': APP,
      'utterances/utterances-10.json': document('c'),
      'utterances/utterances-2.json': document('b'),
      'utterances/utterances-1.json': document('a'),
      'entities/city.json': { name: 'city' },
      'traits/mood.json': { name: 'mood' },
      'composer/flow.json': {},
    });
    const { records, report } = await readAll(witFormat, bytes);
    expect(records.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    expect(report.notes.map(({ message }) => message)).toEqual([
      'entities with their keywords are left out: city',
      'traits with values that no text has are left out: mood',
      'documents that hold no utterances are left out: composer/flow.json',
    ]);
  });

  test('what is wrong is told row by row', async () => {
    let deep: object[] = [];
    for (let at = 0; at < 12; at++) deep = [{ entity: 'a:a', start: 0, end: 1, body: 'a', entities: deep }];
    const { records, problems } = await readRows(
      7,
      {},
      { text: 'a', intent: 7 },
      { text: 'a', entities: [7] },
      { text: 'a', entities: [{ start: 0 }] },
      { text: 'a', entities: [{ entity: 'a' }] },
      { text: 'a', entities: deep },
      { text: 'a', traits: [7] },
      { text: 'a', traits: [{ value: 1 }] },
      {
        text: 'a',
        traits: [
          { trait: 't', value: 'x' },
          { trait: 't', value: 'y' },
        ],
      },
      { text: 'a', traits: [{ trait: '__proto__', value: 'x' }] },
      { text: 'a', traits: [{ trait: 't', value: {} }] },
      {
        text: 'fine',
        traits: [
          { trait: 't', value: 'x' },
          { trait: 't', value: 'x' },
        ],
      },
    );
    expect(records).toEqual([{ text: 'fine', lang: 'en', features: { t: 'x' } }]);
    expect(problems.map(({ column, message }) => `${column}: ${message}`)).toEqual([
      'text: is a number, not an object',
      'text: "text" is missing',
      'intent: "intent" is a number, not a text',
      'entities: an entity has to be an object',
      'entities: an entity has no name',
      'entities: the entity a has no "body"',
      'entities: entities are nested deeper than 8 levels',
      'traits: a trait has to be an object',
      'traits: a trait has no name',
      'traits: the trait t has two values',
      'features.__proto__: "features.__proto__" may not be __proto__',
      'features.t: "features.t" is an object; features are flat',
    ]);
    expect(problems[1]).toMatchObject({ pointer: 'utterances/utterances-1.json#/utterances/1', raw: '{}' });
  });

  test('a document without utterances is a problem, an archive without an app is refused', async () => {
    const { problems } = await readAll(witFormat, await zipOf({ 'app.json': 'x', 'utterances/a.json': {} }));
    expect(problems.map(({ pointer }) => pointer)).toEqual(['app.json', 'utterances/a.json']);
    await expect(readAll(witFormat, await zipOf({ 'a.json': {} }))).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('many rows come in batches', async () => {
    const rows = Array.from({ length: 2500 }, (_, at) => ({ text: `text ${at}`, intent: 'x' }));
    expect((await readRows(...rows)).records.map(({ text }) => text)).toEqual(rows.map(({ text }) => text));
  });
});

describe('writing a wit.ai app', () => {
  test('intents, entities and traits have documents of their own', async () => {
    const bytes = await writeAll(
      witFormat,
      [
        {
          text: '\u{1F600} from Rome to rome',
          intent: 'fly',
          lang: 'it',
          entities: [
            { start: 2, end: 11, type: 'trip', text: 'from Rome' },
            { start: 7, end: 11, type: 'city', role: 'from', text: 'Rome' },
            { start: 15, end: 19, type: 'city', value: 'Rome', text: 'rome' },
          ],
          features: { mood: 'good' },
        },
        { text: 'no', lang: 'it', entities: [{ start: 0, end: 2, type: 'wit$on_off', text: 'no' }] },
      ],
      { name: 'trips' },
    );
    const documents = await documentsIn(bytes);
    expect(documents).toEqual({
      'trips/app.json': { version: 20200513, name: 'trips', lang: 'it', timezone: 'Etc/UTC' },
      'trips/entities/city.json': {
        name: 'city',
        roles: ['city', 'from'],
        lookups: ['free-text', 'keywords'],
        keywords: [{ keyword: 'Rome', synonyms: ['Rome', 'rome'] }],
      },
      'trips/entities/trip.json': {
        name: 'trip',
        roles: ['trip'],
        lookups: ['free-text', 'keywords'],
        keywords: [{ keyword: 'from Rome', synonyms: ['from Rome'] }],
      },
      'trips/entities/wit$on_off.json': { name: 'wit$on_off', roles: ['on_off'] },
      'trips/intents/fly.json': { name: 'fly', entities: ['city:city', 'city:from', 'trip:trip'] },
      'trips/traits/mood.json': { name: 'mood', values: ['good'] },
      'trips/utterances/utterances-1.json': {
        utterances: [
          {
            text: '\u{1F600} from Rome to rome',
            entities: [
              {
                entity: 'trip:trip',
                start: 3,
                end: 12,
                body: 'from Rome',
                entities: [{ entity: 'city:from', start: 8, end: 12, body: 'Rome', entities: [] }],
              },
              { entity: 'city:city', start: 16, end: 20, body: 'rome', entities: [] },
            ],
            traits: [{ trait: 'mood', value: 'good' }],
            intent: 'fly',
          },
          {
            text: 'no',
            entities: [{ entity: 'wit$on_off:on_off', start: 0, end: 2, body: 'no', entities: [] }],
            traits: [],
          },
        ],
      },
    });
  });

  test('many utterances go to several documents, none to an empty one', async () => {
    const records = Array.from({ length: 10_001 }, (_, at) => ({ text: `text ${at}`, lang: 'en' }));
    const utterances = async (count: number): Promise<string[]> =>
      (await pathsIn(await writeAll(witFormat, records.slice(0, count)))).filter((path) =>
        path.includes('/utterances-'),
      );
    expect(await utterances(10_001)).toHaveLength(2);
    expect(await utterances(10_000)).toHaveLength(1);
    expect(await utterances(0)).toHaveLength(1);
  });

  test('what is left behind is counted', async () => {
    const entity = { start: 0, end: 1, type: 'letter', text: 'a' };
    const many = Array.from({ length: 9 }, (_, at) => ({ ...entity, type: `t${at}` }));
    const { records, losses, count } = await roundTrip(witFormat, [
      { text: 'a', intent: ['x', 'y'] },
      { text: 'a', lang: 'en', meta: { template: true, intent: 'x' } },
      { text: 'ab', lang: 'en', entities: [{ ...entity, type: 'a:b' }] },
      {
        text: 'abc',
        lang: 'en',
        entities: [
          { ...entity, end: 2, text: 'ab' },
          { ...entity, start: 1, end: 3, text: 'bc' },
        ],
      },
      { text: 'ab', lang: 'en', entities: many },
      { text: 'ab', id: '7', lang: 'en', entities: [{ ...entity, role: 'letter', value: 'A', group: '1' }] },
      { text: 'b', lang: 'de', features: { n: 7, none: null }, meta: { note: 1 } },
      { text: 'c' },
    ]);
    expect(records).toEqual([
      { text: 'ab', lang: 'en', entities: [entity] },
      { text: 'b', lang: 'en', features: { n: '7' } },
      { text: 'c', lang: 'en' },
    ]);
    expect(count).toBe(3);
    expect(losses.filter((field) => field === 'record')).toHaveLength(4);
    expect(losses.filter((field) => field !== 'record')).toEqual([
      'id',
      'entities.role',
      'entities.value',
      'entities.group',
      'lang',
      'features',
      'meta',
      'lang',
    ]);
  });
});

test.skipIf(!HAS_DATA)(`a real app has 467 texts, 106 of them without an intent${NO_DATA}`, async () => {
  const bytes = await dataFile('wit/whisperer-wit-app.zip');
  expect(detectArchive(await pathsIn(bytes), 'a.zip').format.name).toBe('wit');
  const { records, problems } = await readAll(witFormat, bytes);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(467);
  expect(new Set(records.flatMap(({ intent }) => intent ?? [])).size).toBe(23);
  expect(records.filter(({ intent }) => intent === undefined)).toHaveLength(106);
  expect(records.filter(({ entities }) => entities !== undefined)).toHaveLength(90);
  expect(records.filter(({ features }) => features?.['wit$on_off'] !== undefined)).toHaveLength(100);
  const byCase = Map.groupBy(records, ({ text }) => text.toLowerCase());
  const groups = [...byCase.values()].filter((group) => group.length > 1);
  expect(groups).toHaveLength(12);
  const halfLabelled = groups.filter((group) => new Set(group.map(({ intent }) => intent === undefined)).size === 2);
  expect(halfLabelled).toHaveLength(3);
  const again = await roundTrip(witFormat, records);
  expect(asSet(again.records)).toEqual(asSet(records));
  expect(again.losses).toEqual([]);
});
