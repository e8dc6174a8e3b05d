/** The checks over published datasets: what is known to be wrong with them is found, and nothing is invented. */
import { describe, expect, test } from 'vitest';
import type { CheckedRecord } from '../../src/checks/check.ts';
import { joinSimilar } from '../../src/checks/similarity-join.ts';
import { TrigramCorpus } from '../../src/checks/trigram-corpus.ts';
import { csvFormat } from '../../src/formats/csv.ts';
import { fold, norm } from '../../src/records/text.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll } from '../formats/support.ts';
import { check, checked, type Given } from './support.ts';

async function clinc(): Promise<CheckedRecord[]> {
  const parts = JSON.parse((await dataFile('clinc150/data_full.json')).toString()) as Record<string, string[][]>;
  return checked(
    Object.entries(parts).flatMap(([part, rows]) =>
      rows.map(([text, intent]): Given => [text as string, intent as string, part.replace('oos_', '')]),
    ),
  );
}

async function banking(): Promise<CheckedRecord[]> {
  const sides = ['train', 'test'];
  const files = await Promise.all(sides.map(async (side) => dataFile(`banking77/${side}.csv`)));
  const read = await Promise.all(files.map((file) => readAll(csvFormat, file)));
  return checked(
    read.flatMap(({ records }, index) =>
      records.map(({ text, intent }): Given => [text, intent as string, sides[index] as string]),
    ),
  );
}

/** Texts of the groups of records that agree in `form` and differ in `field`. */
function differing(
  records: readonly CheckedRecord[],
  form: (text: string) => string,
  field: (record: CheckedRecord) => unknown,
): string[] {
  const groups = Map.groupBy(records, ({ record }) => form(record.text));
  return [...groups]
    .filter(([, group]) => new Set(group.map(field)).size > 1)
    .map(([text]) => text)
    .sort();
}

async function foundTexts(name: string, records: readonly CheckedRecord[]): Promise<string[]> {
  const { findings } = await check(records, {}, { only: [name], sides: ['train', 'val', 'test'] });
  return findings.map((finding) => fold(finding.records[0]?.text ?? '')).sort();
}

const intent = ({ record }: CheckedRecord): unknown => record.intent;
const side = ({ side }: CheckedRecord): unknown => side;

describe.skipIf(!HAS_DATA)(`published data${NO_DATA}`, () => {
  test('every conflict of CLINC150 is found, the four of equal texts among them', async () => {
    const records = await clinc();
    const conflicts = await foundTexts('conflicting-labels', records);
    expect(conflicts).toEqual(differing(records, fold, intent));
    expect(differing(records, norm, intent)).toEqual([
      'turn up your volume',
      'what is on my to do list',
      "what's your designation",
      'where did you grow up',
    ]);
    expect(conflicts).toEqual(expect.arrayContaining(differing(records, norm, intent).map((text) => fold(text))));
  });

  test('every leak of the published split of CLINC150 is found', async () => {
    const records = await clinc();
    const leaks = await foundTexts('leaks', records);
    expect(leaks).toEqual(differing(records, fold, side));
    const trained = records.filter(({ side }) => side !== 'val');
    expect(differing(trained, norm, side)).toEqual(["what's your designation", 'where did you grow up']);
    expect(leaks).toEqual(expect.arrayContaining(['whats your designation', 'where did you grow up']));
  });

  test('the seven leaks of BANKING77 that blanks hide are found, and those that punctuation hides', async () => {
    const records = await banking();
    const leaks = await foundTexts('leaks', records);
    expect(leaks).toEqual(differing(records, fold, side));
    expect(differing(records, norm, side)).toHaveLength(7);
    expect(leaks).toEqual(expect.arrayContaining(differing(records, norm, side).map((text) => fold(text))));
    expect(differing(records, norm, intent)).toEqual([]);
    expect(await foundTexts('conflicting-labels', records)).toEqual(differing(records, fold, intent));
  });

  test('duplicates of equal texts are counted as published', async () => {
    for (const [records, count] of [
      [await clinc(), 5],
      [await banking(), 12],
    ] as const) {
      const groups = Map.groupBy(records, ({ record }) => norm(record.text));
      expect([...groups.values()].filter((group) => group.length > 1)).toHaveLength(count);
      const { findings } = await check(records, {}, { only: ['duplicates'] });
      expect(findings).toHaveLength(
        [...Map.groupBy(records, ({ group }) => group).values()].filter(({ length }) => length > 1).length,
      );
    }
  });

  test('pairs at each threshold are those that were counted by other means', async () => {
    // Counted with punctuation, apostrophes too, as blanks; `fold` drops apostrophes.
    const strip = (text: string): string =>
      text
        .normalize('NFKC')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s]/gu, ' ')
        .replaceAll(/\s+/gu, ' ')
        .trim();
    const thresholds = [1, 0.95, 0.9, 0.85, 0.8, 0.7];
    const counted = (records: readonly CheckedRecord[], form: (text: string) => string): string[] =>
      thresholds.map((threshold) => {
        const corpus = new TrigramCorpus();
        for (const { record } of records) corpus.add(form(record.text));
        let [pairs, differ] = [0, 0];
        joinSimilar(corpus.finish(), threshold, (a, b) => {
          pairs++;
          if (records[a]?.record.intent !== records[b]?.record.intent) differ++;
          return true;
        });
        return `${pairs} (${differ})`;
      });
    const [clincRows, bankingRows] = [await clinc(), await banking()];
    expect(counted(clincRows, strip)).toEqual(['80 (5)', '104 (5)', '280 (7)', '763 (14)', '1858 (34)', '6472 (134)']);
    expect(counted(bankingRows, strip)).toEqual([
      '63 (2)',
      '101 (2)',
      '203 (4)',
      '520 (12)',
      '1068 (39)',
      '3282 (211)',
    ]);
    expect(counted(clincRows, fold)).toEqual(['110 (5)', '134 (5)', '311 (7)', '768 (14)', '1836 (32)', '6409 (133)']);
    expect(counted(bankingRows, fold)).toEqual(['65 (2)', '103 (2)', '203 (4)', '518 (12)', '1052 (41)', '3278 (210)']);
  });
});
