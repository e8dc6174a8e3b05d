/** Dialogflow ES: what of an agent becomes records, and what an agent is made of records. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dialogflowEsFormat } from '../../../src/formats/dialogflow/dialogflow-es.ts';
import { detectArchive } from '../../../src/formats/registry.ts';
import { dataFile, HAS_DATA, memoryInput, NO_DATA, readAll, shown, writeAll } from '../support.ts';
import { documentsIn, pathsIn, zipOf, zipOfFolder } from '../zip-of.ts';
import { asSet } from '../odd-records.ts';

const AGENT = { language: 'en', supportedLanguages: ['de'] };

function said(text: string, rest: object = {}): object {
  return { data: [{ text, userDefined: false }], isTemplate: false, count: 3, updated: 1, ...rest };
}

async function losses(records: Parameters<typeof writeAll>[1]): Promise<[string, string, number][]> {
  const writing = dialogflowEsFormat.write?.(async function* () {
    yield records;
  });
  if (writing === undefined) throw new Error('no writer');
  await Array.fromAsync(writing);
  return writing.report.losses.map(({ field, message, count }) => [field, message, count]);
}

describe('reading a Dialogflow ES agent', () => {
  test('phrases are put together of their parts, with language, entities and ids', async () => {
    const bytes = await zipOf({
      'agent/agent.json': AGENT,
      'agent/intents/fly.json': { id: 'i1', name: 'Fly away', fallbackIntent: false },
      'agent/intents/fly_usersays_pt-BR.json': [
        {
          id: '39787c24-565e-4cf9-ab38-517677deb47a',
          data: [
            { text: '\u{1F6EB} to ' },
            { text: 'Berlin', meta: '@sys.geo-city', alias: 'from', userDefined: true },
            { text: ' on ' },
            { text: 'Monday', meta: '@sys.date', alias: 'date' },
            { text: ' now', meta: '@sys.ignore', userDefined: true },
            { text: '!', alias: 'mark' },
          ],
          isTemplate: false,
        },
      ],
      '__MACOSX/agent/._agent.json': 'x',
    });
    const { records, problems, report } = await readAll(dialogflowEsFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: '\u{1F6EB} to Berlin on Monday now!',
        intent: 'Fly away',
        id: '39787c24-565e-4cf9-ab38-517677deb47a',
        lang: 'pt-BR',
        entities: [
          { start: 5, end: 11, type: 'sys.geo-city', role: 'from', text: 'Berlin' },
          { start: 15, end: 21, type: 'sys.date', text: 'Monday' },
          { start: 25, end: 26, type: 'mark', text: '!' },
        ],
      },
    ]);
    expect(report.notes.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'side-information: answers, contexts and events of intents are left out: Fly away',
    ]);
  });

  test('templates stay without a label', async () => {
    const bytes = await zipOf({
      'agent.json': AGENT,
      'intents/fly.json': { name: 'fly' },
      'intents/fly_usersays_en.json': [said('to @sys.geo-city:to', { isTemplate: true })],
    });
    const { records, report } = await readAll(dialogflowEsFormat, bytes);
    expect(records).toEqual([{ text: 'to @sys.geo-city:to', lang: 'en', meta: { template: true, intent: 'fly' } }]);
    expect(report.notes.filter(({ code }) => code === 'template').map(({ count }) => count)).toEqual([1]);
  });

  test('old exports have phrases inside of intents; what is also beside them is read once', async () => {
    const bytes = await zipOf({
      'agent.json': AGENT,
      'intents/hi.json': { name: 'hi', userSays: [said('hello'), said('hey ')] },
      'intents/hi_usersays_en.json': [said('hey')],
      'intents/bye.json': { name: 'bye', userSays: [said('bye')] },
    });
    const { records, report } = await readAll(dialogflowEsFormat, bytes);
    expect(records).toEqual([
      { text: 'hey', intent: 'hi', lang: 'en' },
      { text: 'bye', intent: 'bye', lang: 'en' },
      { text: 'hello', intent: 'hi', lang: 'en' },
    ]);
    expect(report.notes.filter(({ code }) => code === 'ignored')).toEqual([
      { code: 'ignored', message: 'phrases inside of intents that are also beside them are read once', count: 1 },
    ]);
  });

  test('follow-up intents keep the intent before, and fallback intents that they are', async () => {
    const bytes = await zipOf({
      'agent.json': AGENT,
      'intents/order.json': { id: 'a', name: 'order' },
      'intents/order - yes.json': { id: 'b', name: 'order - yes', parentId: 'a' },
      'intents/order - yes_usersays_en.json': [said('yes')],
      'intents/lost.json': { id: 'c', name: 'lost', parentId: 'nobody', fallbackIntent: true },
      'intents/lost_usersays_en.json': [said('what')],
      'entities/city.json': { name: 'city' },
      'entities/city_entries_en.json': [{ value: 'Berlin', synonyms: [] }],
    });
    const { records, report } = await readAll(dialogflowEsFormat, bytes);
    expect(records).toEqual(
      [
        { text: 'what', intent: 'lost', lang: 'en', meta: { fallback: true } },
        { text: 'yes', intent: 'order - yes', lang: 'en', features: { followUpOf: 'order' } },
      ].toSorted((a, b) => (a.text < b.text ? -1 : 1)),
    );
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['entity types with their values are left out: city', 1],
      ['follow-up intents: the intent before is kept as features.followUpOf: order - yes', 1],
      ['answers, contexts and events of intents are left out: lost, order - yes, order', 3],
    ]);
  });

  test('an intent may be called like the phrases of another, and phrases may have no intent', async () => {
    const bytes = await zipOf({
      'agent.json': AGENT,
      'intents/x_usersays_en.json': { name: 'x_usersays_en' },
      'intents/x_usersays_en_usersays_en.json': [said('a')],
      'intents/y_usersays_en.json': [said('b')],
    });
    const { records, problems } = await readAll(dialogflowEsFormat, bytes);
    expect(problems).toEqual([]);
    expect(records.map(({ text, intent }) => [text, intent])).toEqual([
      ['a', 'x_usersays_en'],
      ['b', 'y'],
    ]);
  });

  test('what is wrong is told phrase by phrase and document by document', async () => {
    const bytes = await zipOf({
      'agent.json': '{"language":',
      'intents/a.json': '[]',
      'intents/b.json': '{"name":"b","name":"c"}',
      'intents/c_usersays_en.json': [7, {}, { data: [{ text: 'a' }, {}] }, said(''), said('ok')],
      'intents/d_usersays_en.json': '7',
      'intents/e_usersays_en.json': Buffer.from([0x22, 0xff, 0x22]),
      'intents/f_usersays_en.json': '['.repeat(100_000),
      'intents/g_usersays_en.json': '[{"__proto__":{"data":[]}}]',
    });
    const { records, problems } = await readAll(dialogflowEsFormat, bytes);
    expect(records.map(({ text }) => text)).toEqual(['ok']);
    expect(problems.map(({ pointer, message }) => `${pointer}: ${message}`)).toEqual([
      'agent.json: the document is left out: not valid JSON: unexpected end of JSON input',
      'intents/a.json: the document is left out: it is no object',
      'intents/b.json: the document is left out: the key "name" occurs twice',
      'intents/c_usersays_en.json#/0: a phrase has to be an object',
      'intents/c_usersays_en.json#/1: a phrase has to have "data", a list of its parts',
      'intents/c_usersays_en.json#/2: part 2 of "data" has no text',
      'intents/c_usersays_en.json#/3: "text" is empty',
      'intents/d_usersays_en.json: the document is neither phrases nor an intent',
      'intents/e_usersays_en.json: the document is left out: not valid UTF-8',
      'intents/f_usersays_en.json: the document is left out: nested deeper than 64 levels',
      'intents/g_usersays_en.json: the document is left out: the key "__proto__" is not allowed',
    ]);
    expect(problems[3]?.raw).toBe('7');
  });

  test('a damaged document does not stop the others; what is no agent is refused', async () => {
    const bytes = await zipOf({ 'agent.json': AGENT, 'intents/a_usersays_en.json': [said('stored as it is')] });
    bytes.writeUInt32LE(1, bytes.indexOf(Buffer.from('PK\u0001\u0002', 'latin1')) + 16);
    expect(shown((await readAll(dialogflowEsFormat, bytes)).problems)).toEqual([
      expect.stringMatching(/^1:1 - the document is left out: .*agent\.json is damaged$/u),
    ]);
    await expect(readAll(dialogflowEsFormat, await zipOf({ 'a.json': {} }))).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory is not a Dialogflow agent: it has no agent.json',
    });
    await expect(readAll(dialogflowEsFormat, 'no zip')).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('a reading can be stopped', async () => {
    const bytes = await zipOf({ 'agent.json': AGENT, 'intents/a.json': { name: 'a' } });
    const reading = dialogflowEsFormat.read(memoryInput(bytes), { signal: AbortSignal.abort() });
    await expect(Array.fromAsync(reading)).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('writing a Dialogflow ES agent', () => {
  test('intents are complete, with parameters, entity types and the values that were seen', async () => {
    const documents = await documentsIn(
      await writeAll(dialogflowEsFormat, [
        {
          text: 'from Rome to rome',
          intent: 'fly',
          lang: 'en',
          entities: [
            { start: 5, end: 9, type: 'city', role: 'from', text: 'Rome' },
            { start: 13, end: 17, type: 'city', role: 'from', value: 'Rome', text: 'rome' },
          ],
        },
        { text: 'ja', intent: 'fly', lang: 'de' },
        { text: 'hallo', intent: 'fly', lang: 'en' },
      ]),
    );
    expect(Object.keys(documents)).toEqual([
      'agent.json',
      'entities/city.json',
      'entities/city_entries_en.json',
      'intents/fly.json',
      'intents/fly_usersays_de.json',
      'intents/fly_usersays_en.json',
      'package.json',
    ]);
    expect(documents).toMatchObject({
      'package.json': { version: '1.0.0' },
      'agent.json': { language: 'en', supportedLanguages: ['de'] },
      'entities/city.json': { name: 'city', isRegexp: false },
      'entities/city_entries_en.json': [{ value: 'Rome', synonyms: ['Rome', 'rome'] }],
      'intents/fly.json': {
        name: 'fly',
        auto: true,
        contexts: [],
        responses: [{ parameters: [{ dataType: '@city', name: 'from', value: '$from', isList: true }] }],
        priority: 500_000,
        webhookUsed: false,
        fallbackIntent: false,
        events: [],
      },
      'intents/fly_usersays_en.json': [
        {
          id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/u),
          data: [
            { text: 'from ', userDefined: false },
            { text: 'Rome', alias: 'from', meta: '@city', userDefined: true },
            { text: ' to ', userDefined: false },
            { text: 'rome', alias: 'from', meta: '@city', userDefined: true },
          ],
          isTemplate: false,
        },
        { data: [{ text: 'hallo' }] },
      ],
    });
  });

  test('follow-up intents and fallback intents are written as such, with the intents before', async () => {
    const records = [
      { text: 'yes', intent: 'order - yes', lang: 'en', features: { followUpOf: 'order' } },
      { text: 'sure', intent: 'sure', lang: 'en', features: { followUpOf: 'order - yes' } },
      { text: 'eh', intent: 'lost', lang: 'en', meta: { fallback: true } },
      { text: 'to @city:to', lang: 'en', meta: { template: true, intent: 'fly' } },
    ];
    const bytes = await writeAll(dialogflowEsFormat, records);
    const documents = (await documentsIn(bytes)) as Record<string, Record<string, unknown>>;
    const order = documents['intents/order.json'];
    expect(order).toMatchObject({ name: 'order', responses: [{ affectedContexts: [{ name: 'order-followup' }] }] });
    expect(documents['intents/sure.json']).toMatchObject({
      parentId: documents['intents/order - yes.json']?.['id'],
      rootParentId: order?.['id'],
      contexts: ['order-yes-followup'],
    });
    expect(documents['intents/lost.json']).toMatchObject({ fallbackIntent: true });
    expect(asSet((await readAll(dialogflowEsFormat, bytes)).records)).toEqual(asSet(records));
    expect(await losses(records)).toEqual([]);
  });

  test('what is left behind is counted, by reason', async () => {
    const entity = { start: 0, end: 1, type: 'letter', text: 'a' };
    const all = await losses([
      { text: 'a', intent: ['x', 'y'], lang: 'en' },
      { text: 'a', lang: 'en' },
      {
        text: 'ab',
        intent: 'x',
        lang: 'en',
        entities: [
          { ...entity, end: 2, text: 'ab' },
          { ...entity, type: 'z' },
        ],
      },
      { text: 'ab', intent: 'x', lang: 'en', entities: [{ ...entity, value: 'A', group: '1', role: 'letter' }] },
      { text: 'a', intent: 'x', lang: 'en', entities: [{ ...entity, type: 'sys.ignore' }] },
      { text: 'a', intent: 'x', id: '7', features: { role: 'agent' } },
      { text: 'b', intent: 'x', lang: 'en_US', meta: { fallback: 1, note: 2 } },
      { text: 'c', intent: 'x', lang: 'en', features: { followUpOf: 'y' }, meta: { fallback: true } },
      { text: 'd', intent: 'a', lang: 'en', features: { followUpOf: 'b' } },
      { text: 'e', intent: 'b', lang: 'en', features: { followUpOf: 'a' } },
      {
        text: 'f',
        id: '8',
        lang: 'en',
        meta: { template: true, intent: 'x', note: 2 },
        entities: [{ ...entity, text: 'f' }],
      },
    ]);
    const circle = 'followUpOf is left out where it differs within an intent, or leads in a circle';
    expect(all).toEqual([
      ['record', 'is left out: it has several intents', 1],
      ['record', 'is left out: it has no intent', 1],
      ['record', 'is left out: its entities overlap', 1],
      ['entities.role', 'that are called as the type reads back as none', 1],
      ['entities.value', 'are not kept with the utterance, only among the values of the entity', 1],
      ['entities.group', 'are left out', 1],
      ['entities', 'of the type sys.ignore are left out: they mean that nothing is marked', 1],
      ['lang', "is missing, and reads back as the agent's, en", 1],
      ['id', 'that are no UUIDs are left out', 1],
      ['features', 'are left out', 1],
      ['lang', "is none that Dialogflow could know, and reads back as the agent's, en", 1],
      ['meta', 'are left out', 3],
      ['id', 'of templates are left out', 1],
      ['entities', 'of templates are left out', 1],
      ['features', circle, 2],
      ['meta', 'fallback is left out where it differs within an intent', 1],
    ]);
  });

  test('names that no file can have get one that is their own', async () => {
    const names = ['a/b', 'a:b', 'A', 'a', '..', 'CON', 'con', '__MACOSX', 'x_usersays_en', 'x', 'y'.repeat(300)];
    const records = names.map((intent, at) => ({ text: `text ${at}`, intent, lang: 'en' }));
    const bytes = await writeAll(dialogflowEsFormat, records);
    expect(asSet((await readAll(dialogflowEsFormat, bytes)).records)).toEqual(asSet(records));
    const paths = await pathsIn(bytes);
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(paths.length);
    expect(Math.max(...paths.map((path) => path.length))).toBeLessThan(100);
  });
});

describe('real agents', () => {
  test.skipIf(!HAS_DATA)(`the Salesforce example has 129 phrases of 8 intents${NO_DATA}`, async () => {
    const bytes = await dataFile('dialogflow-es/qai-salesforce-ext.zip');
    expect(detectArchive(await pathsIn(bytes), 'a.zip').format.name).toBe('dialogflow-es');
    const { records, problems } = await readAll(dialogflowEsFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toHaveLength(129);
    expect(new Set(records.map(({ intent }) => intent)).size).toBe(8);
    expect(new Set(records.map(({ lang }) => lang))).toEqual(new Set(['en']));
    expect(records.filter(({ features }) => features?.['followUpOf'] === 'pin-number')).toHaveLength(86);
    expect(records.flatMap(({ entities }) => entities ?? [])).toHaveLength(14);
    const again = await readAll(dialogflowEsFormat, await writeAll(dialogflowEsFormat, records));
    expect(asSet(again.records)).toEqual(asSet(records));
    expect(await losses(records)).toEqual([]);
  });

  test.skipIf(!HAS_DATA)(`the restaurant example has 24 phrases in each of two languages${NO_DATA}`, async () => {
    const folder = join(import.meta.dirname, '../../../../shared/data/dialogflow-es/demo-restaurants-en-es');
    const bytes = await zipOfFolder(folder);
    expect(detectArchive(await pathsIn(bytes), 'a').format.name).toBe('dialogflow-es');
    const { records, problems, report } = await readAll(dialogflowEsFormat, bytes);
    expect(problems).toEqual([]);
    for (const lang of ['en', 'es']) expect(records.filter((record) => record.lang === lang)).toHaveLength(24);
    expect(new Set(records.map(({ intent }) => intent))).toEqual(new Set(['affirm', 'goodbye', 'hi', 'inform']));
    const texts = (wanted: string): Set<string> =>
      new Set(records.filter(({ lang }) => lang === wanted).map(({ text }) => text.toLowerCase()));
    const spanish = texts('es');
    expect([...texts('en')].filter((text) => spanish.has(text))).toEqual(['hello']);
    expect(records.flatMap(({ entities }) => entities ?? [])).toHaveLength(12);
    expect(report.notes.find(({ code }) => code === 'ignored')?.count).toBe(12);
    const plain = (all: typeof records): string[] =>
      asSet(all.map(({ id, ...rest }) => ({ ...rest, hasId: id !== '' })));
    const again = await readAll(dialogflowEsFormat, await writeAll(dialogflowEsFormat, records));
    expect(plain(again.records)).toEqual(plain(records));
    expect(await losses(records)).toEqual([['id', 'that are no UUIDs are left out', 2]]);
  });
});
