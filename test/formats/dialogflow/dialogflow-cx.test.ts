/** Dialogflow CX: what of an agent becomes records, and what a package is made of records. */
import { describe, expect, test } from 'vitest';
import { dialogflowCxFormat } from '../../../src/formats/dialogflow/dialogflow-cx.ts';
import { detectArchive, detectFormat } from '../../../src/formats/registry.ts';
import { asSet, roundTrip } from '../odd-records.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, writeAll } from '../support.ts';
import { documentsIn, pathsIn, zipOf } from '../zip-of.ts';

const AGENT = { defaultLanguageCode: 'en' };

describe('reading a Dialogflow CX agent', () => {
  test('phrases are put together of their parts; types come from the parameters of the intent', async () => {
    const bytes = await zipOf({
      'top/agent.json': AGENT,
      'top/intents/fly/fly.json': {
        displayName: 'Fly',
        isFallback: true,
        parameters: [{ id: 'to', entityType: '@sys.geo-city' }, { id: 'date', entityType: '@sys.date' }, 7, { id: 8 }],
      },
      'top/intents/fly/trainingPhrases/en.json': {
        trainingPhrases: [
          {
            id: 'p1',
            parts: [
              { text: '\u{1F6EB} to ', auto: true },
              { text: 'Berlin', parameterId: 'to' },
              { text: ' ' },
              { text: 'today', parameterId: 'date' },
              { text: ' x', parameterId: 'unknown' },
            ],
            repeatCount: 3,
            languageCode: 'en-GB',
          },
          { parts: [{ text: 'go' }], repeatCount: 1 },
        ],
      },
      'top/intents/other/trainingPhrases/de.json': { trainingPhrases: [{ parts: [{ text: 'los' }] }] },
      'top/entityTypes/city/city.json': { displayName: 'city' },
      'top/flows/Main/Main.json': {},
    });
    const { records, problems, report } = await readAll(dialogflowCxFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: '\u{1F6EB} to Berlin today x',
        intent: 'Fly',
        id: 'p1',
        lang: 'en-GB',
        entities: [
          { start: 5, end: 11, type: 'sys.geo-city', role: 'to', text: 'Berlin' },
          { start: 12, end: 17, type: 'sys.date', text: 'today' },
          { start: 17, end: 19, type: 'unknown', text: ' x' },
        ],
        meta: { repeatCount: 3, fallback: true },
      },
      { text: 'go', intent: 'Fly', lang: 'en', meta: { fallback: true } },
      { text: 'los', intent: 'other', lang: 'de' },
    ]);
    expect(report.notes.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'mended: phrases that count more than once are one row, with the count in meta.repeatCount',
      'side-information: entity types with their values are left out: city',
      'side-information: flows with their pages and answers are left out: Main',
    ]);
  });

  test('what is wrong is told phrase by phrase and document by document', async () => {
    const bytes = await zipOf({
      'agent.json': 'x',
      'intents/a/a.json': '7',
      'intents/a/trainingPhrases/en.json': { trainingPhrases: [7, {}, { parts: [{ text: 1 }] }, { parts: [] }] },
      'intents/b/trainingPhrases/en.json': {},
    });
    const { records, problems } = await readAll(dialogflowCxFormat, bytes);
    expect(records).toEqual([]);
    expect(problems.map(({ pointer, message }) => `${pointer}: ${message}`)).toEqual([
      expect.stringContaining('agent.json: the document is left out: not valid JSON'),
      'intents/a/a.json: the document is left out: it is no object',
      'intents/a/trainingPhrases/en.json#/trainingPhrases/0: a phrase has to be an object',
      'intents/a/trainingPhrases/en.json#/trainingPhrases/1: a phrase has to have "parts", a list',
      'intents/a/trainingPhrases/en.json#/trainingPhrases/2: part 1 of "parts" has no text',
      'intents/a/trainingPhrases/en.json#/trainingPhrases/3: "text" is empty',
      'intents/b/trainingPhrases/en.json: the document has no list "trainingPhrases"',
    ]);
  });

  test('the binary form of an export is refused with a way out', async () => {
    const blob = Buffer.from([0x0a, 0x04, 0x00, 0xff]);
    expect(detectFormat(blob, 'agent.blob')).toMatchObject({ format: dialogflowCxFormat, reason: 'by its name' });
    await expect(readAll(dialogflowCxFormat, blob)).rejects.toMatchObject({
      code: 'bad-format',
      hint: expect.stringContaining('JSON package'),
    });
  });
});

describe('writing a Dialogflow CX package', () => {
  test('intents have their parameters, entity types the values that were seen', async () => {
    const documents = await documentsIn(
      await writeAll(
        dialogflowCxFormat,
        [
          {
            text: 'Rome or rome tomorrow',
            intent: 'Fly',
            id: '39787c24-565e-4cf9-ab38-517677deb47a',
            lang: 'en',
            entities: [
              { start: 0, end: 4, type: 'city', role: 'to', text: 'Rome' },
              { start: 8, end: 12, type: 'city', role: 'to', value: 'Rome', text: 'rome' },
              { start: 13, end: 21, type: 'sys.date', text: 'tomorrow' },
            ],
            meta: { repeatCount: 2, fallback: true },
          },
        ],
        { name: 'trips' },
      ),
    );
    expect(documents).toEqual({
      'agent.json': {
        displayName: 'trips',
        defaultLanguageCode: 'en',
        supportedLanguageCodes: [],
        timeZone: 'Etc/UTC',
      },
      'entityTypes/city/city.json': { name: expect.any(String), displayName: 'city', kind: 'KIND_MAP' },
      'entityTypes/city/entities/en.json': {
        entities: [{ value: 'Rome', synonyms: ['Rome', 'rome'], languageCode: 'en' }],
      },
      'intents/Fly/Fly.json': {
        name: expect.any(String),
        displayName: 'Fly',
        priority: 500_000,
        isFallback: true,
        parameters: [
          { id: 'to', entityType: '@city', isList: true },
          { id: 'date', entityType: '@sys.date' },
        ],
      },
      'intents/Fly/trainingPhrases/en.json': {
        trainingPhrases: [
          {
            id: '39787c24-565e-4cf9-ab38-517677deb47a',
            parts: [
              { text: 'Rome', parameterId: 'to' },
              { text: ' or ' },
              { text: 'rome', parameterId: 'to' },
              { text: ' ' },
              { text: 'tomorrow', parameterId: 'date' },
            ],
            repeatCount: 2,
            languageCode: 'en',
          },
        ],
      },
    });
  });

  test('a parameter has one type in an intent; what is left behind is counted', async () => {
    const entity = { start: 0, end: 1, type: 'letter', text: 'a' };
    const { records, losses, count } = await roundTrip(dialogflowCxFormat, [
      { text: 'a', intent: 'x', lang: 'en', entities: [{ ...entity, role: 'to' }] },
      { text: 'ab', intent: 'x', lang: 'en', entities: [{ ...entity, type: 'other', role: 'to' }] },
      { text: 'ac', intent: 'x', id: '7', meta: { fallback: true, repeatCount: 1 } },
      { text: 'ad', intent: 'x', lang: 'e', meta: { fallback: 7, note: 1 } },
      { text: 'ae', intent: ['x', 'y'] },
      { text: 'af', intent: 'x', entities: [{ ...entity, end: 2, text: 'af' }, entity] },
    ]);
    expect(records.map(({ text, entities }) => [text, entities?.[0]?.type, entities?.[0]?.role])).toEqual([
      ['a', 'letter', 'to'],
      ['ab', 'other', 'to-2'],
      ['ac', undefined, undefined],
      ['ad', undefined, undefined],
    ]);
    expect(count).toBe(4);
    expect(losses).toEqual(['entities.role', 'lang', 'id', 'meta', 'lang', 'meta', 'record', 'record', 'meta']);
  });
});

test.skipIf(!HAS_DATA)(
  `the divers' agent has 25 phrases of 2 intents, one of them counted twice${NO_DATA}`,
  async () => {
    const bytes = await dataFile('dialogflow-cx/divebooker-agent.zip');
    expect(detectArchive(await pathsIn(bytes), 'a.zip').format.name).toBe('dialogflow-cx');
    const { records, problems } = await readAll(dialogflowCxFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toHaveLength(25);
    expect(new Set(records.map(({ intent }) => intent))).toEqual(
      new Set(['Default Welcome Intent', 'head.send.group.request']),
    );
    expect(records.flatMap(({ entities }) => entities ?? [])).toHaveLength(12);
    expect(records.filter(({ meta }) => meta?.['repeatCount'] === 2)).toHaveLength(1);
    const again = await roundTrip(dialogflowCxFormat, records);
    expect(asSet(again.records)).toEqual(asSet(records));
    expect(again.losses).toEqual([]);
  },
);
