/** Languages of one script, told apart only where that is sure. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { CheckedRecord } from '../../src/checks/check.ts';
import { IntentCounts } from '../../src/checks/intent-counts.ts';
import { guessLanguage, knownLanguage, loadIdentifier } from '../../src/checks/language-identifier.ts';
import { conllFormat } from '../../src/formats/conll/conll.ts';
import { csvFormat } from '../../src/formats/csv.ts';
import { nlpjsFormat } from '../../src/formats/nlpjs/nlpjs.ts';
import type { Format } from '../../src/formats/format.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll } from '../formats/support.ts';
import { checked, found, type Given } from './support.ts';

const GERMAN = [
  'wie kann ich meine Karte sperren lassen',
  'ich möchte einen neuen Termin vereinbaren',
  'wann kommt meine Bestellung endlich an',
  'bitte ändern Sie meine Adresse im Konto',
  'warum wurde meine Zahlung abgelehnt',
];
const ENGLISH = 'could you please tell me where my parcel has gone';

const german = (lang?: string): Given[] =>
  ['heute', 'morgen', 'jetzt', 'später'].flatMap((word) =>
    GERMAN.map((text) => ({ text: `${text} ${word}`, intent: 'a', ...(lang === undefined ? {} : { lang }) })),
  );

describe('language', () => {
  test('English among German is found, whether or not the language is declared', async () => {
    expect(await found('language', [...german(), [ENGLISH, 'a']])).toEqual([
      `warn text: ${JSON.stringify(ENGLISH)} is likely English, the texts are in German`,
    ]);
    expect(await found('language', [{ text: ENGLISH, intent: 'a', lang: 'de-AT' }])).toEqual([
      `warn text: ${JSON.stringify(ENGLISH)} is likely English, its "lang" is "de-AT"`,
    ]);
  });

  test('a declared language is believed where the text is in it, among others of another', async () => {
    expect(await found('language', [...german(), { text: ENGLISH, intent: 'a', lang: 'en-GB' }])).toEqual([]);
  });

  test('where a "lang" is wrong nearly everywhere, that is told once', async () => {
    expect(await found('language', german('en-US'))).toEqual([
      'warn dataset: 20 of 20 longer texts in "en-US" are likely German',
    ]);
  });

  test('of a change, what it leaves alone tells the language, and is not told of', async () => {
    const sample = (): Promise<CheckedRecord[]> => Promise.resolve(checked([...german(), [`${ENGLISH} then`, 'a']]));
    const neighbours = (): Promise<[]> => Promise.resolve([]);
    const change = { rows: 22, counts: new IntentCounts(), intents: [], neighbours, sample };
    expect(await found('language', [[ENGLISH, 'a']], {}, { change })).toHaveLength(1);
    expect(await found('scripts', [['где моя посылка', 'a']], {}, { change })).toHaveLength(1);
  });

  test('short texts, few texts, mixed data and unknown languages are left alone', async () => {
    expect(await found('language', [...german(), ['where is my parcel', 'a']])).toEqual([]);
    expect(await found('language', [...german().slice(0, 15), [ENGLISH, 'a']])).toEqual([]);
    const mixed = Array.from({ length: 20 }, (_, at): Given => [`${ENGLISH} number ${at}`, 'a']);
    expect(await found('language', [...german(), ...mixed])).toEqual([]);
    expect(await found('language', [{ text: ENGLISH, intent: 'a', lang: 'gsw' }])).toEqual([]);
  });

  test('texts of another script are not told a second time', async () => {
    const rows: Given[] = [...german(), ['пожалуйста скажите где моя посылка', 'a']];
    expect(await found('language', rows)).toEqual([]);
    expect(await found('scripts', rows)).toHaveLength(1);
  });

  test('how long, how likely and how many is for the user to say', async () => {
    const rows: Given[] = [...german(), ['where is my parcel', 'a']];
    expect(await found('language', rows, { language: { letters: 10 } })).toHaveLength(1);
    expect(await found('language', rows, { language: { letters: 10, margin: 0.9 } })).toEqual([]);
    expect(await found('language', rows, { language: { letters: 10, least: 100 } })).toEqual([]);
  });
});

beforeAll(loadIdentifier);

test('tags are read by their language, and those never guessed are unknown', () => {
  expect(['de-AT', 'EN_us', 'nb-NO', 'iw', 'id', 'gsw', ''].map((tag) => knownLanguage(tag))).toEqual([
    'de',
    'en',
    'no',
    'he',
    'ms',
    undefined,
    undefined,
  ]);
});

test('a guess leads over what is unlike it, and nothing is guessed of digits', () => {
  const guess = guessLanguage(ENGLISH);
  expect(guess).toMatchObject({ language: 'en', isSure: true });
  expect(guess?.leadOver('de')).toBeGreaterThan(0.2);
  expect(guess?.leadOver('en')).toBe(0);
  expect(guessLanguage('12345')).toBeUndefined();
});

describe.skipIf(!HAS_DATA)(`published data${NO_DATA}`, () => {
  const records = async (format: Format, path: string): Promise<UtteranceRecord[]> =>
    (await readAll(format, await dataFile(path))).records;
  const inLang = (given: readonly UtteranceRecord[], lang?: string): Given[] =>
    given.map(({ text }): Given => ({ text, intent: 'a', ...(lang === undefined ? {} : { lang }) }));

  test('nothing is invented in the English of CLINC150 and BANKING77', async () => {
    const parts = JSON.parse((await dataFile('clinc150/data_full.json')).toString()) as Record<string, string[][]>;
    const clinc = Object.values(parts).flatMap((rows) => rows.map(([text]): Given => [text as string, 'a']));
    const banking = [
      ...(await records(csvFormat, 'banking77/train.csv')),
      ...(await records(csvFormat, 'banking77/test.csv')),
    ];
    expect(await found('language', clinc)).toEqual([]);
    expect(await found('language', inLang(banking))).toEqual([]);
    expect(await found('language', inLang(banking, 'en-GB'))).toEqual([]);
  }, 60_000);

  test('of xSID only texts are told that are full of English and Spanish titles', async () => {
    const counts: Record<string, number> = {};
    for (const lang of ['ar', 'de', 'it', 'ja', 'tr', 'zh']) {
      const rows = inLang(await records(conllFormat, `xsid/${lang}.valid.conll`), lang);
      counts[lang] = (await found('language', rows)).length;
    }
    expect(counts).toEqual({ ar: 0, de: 1, it: 2, ja: 0, tr: 5, zh: 0 });
  });

  test('Hebrew that is declared as English is told once, and English is not', async () => {
    const [hebrew, english] = [
      await records(nlpjsFormat, 'nlpjs/corpus-he.json'),
      await records(nlpjsFormat, 'nlpjs/corpus-en.json'),
    ];
    expect(await found('language', inLang(hebrew, 'en-US'))).toEqual([
      'warn dataset: 114 of 115 longer texts in "en-US" are likely Hebrew',
    ]);
    expect(await found('language', inLang(english, 'en-US'))).toEqual([]);
  });

  test('most longer texts are found where they are declared as another language', async () => {
    const counts: Record<string, string> = {};
    for (const lang of ['de', 'it', 'tr']) {
      const strange = inLang(await records(conllFormat, `xsid/${lang}.valid.conll`), 'en');
      const longer = strange.filter((row) => ((row as { text: string }).text.match(/\p{L}/gu) ?? []).length >= 20);
      const told = await found('language', longer, { language: { least: 1000 } });
      counts[lang] = `${told.length} of ${longer.length}`;
    }
    expect(counts).toEqual({ de: '198 of 258', it: '187 of 253', tr: '190 of 244' });
  });
});
