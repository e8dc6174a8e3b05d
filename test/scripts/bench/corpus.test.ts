import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeCorpus, readRealCorpus } from '../../../scripts/bench/corpus.ts';
import { Absent } from '../../../scripts/bench/peers/install.ts';
import { HAS_DATA, NO_DATA } from '../../formats/support.ts';

const BENCH = join(import.meta.dirname, '../../../scripts/bench.ts');

describe('a corpus', () => {
  test('has each text once, with its first label, whatever its marks and numbers', () => {
    const pairs = [
      ['\nsend it by 5 pm', 'send'],
      ['Send it by 7 PM!', 'hurry'],
      ["what's this", 'explain'],
      ['whats this?', 'name'],
    ] as const;
    expect(makeCorpus('invented', pairs)).toStrictEqual({
      name: 'invented',
      intents: ['send', 'hurry', 'explain', 'name'],
      utterances: [
        { intent: 0, text: 'send it by 5 pm' },
        { intent: 2, text: "what's this" },
      ],
    });
  });

  test('that is not there is said to be absent, by its first file', () => {
    const folder = join(tmpdir(), 'nobody');
    expect(() => readRealCorpus(folder)).toThrow(Absent);
    expect(() => readRealCorpus(folder)).toThrow(`no ${join(folder, 'clinc150/data_full.json')}`);
  });

  test.skipIf(!HAS_DATA)(`of real utterances has those of CLINC150 and BANKING77${NO_DATA}`, () => {
    const { name, intents, utterances } = readRealCorpus();
    expect(name).toBe('CLINC150 and BANKING77');
    // Both call one of theirs exchange_rate, and CLINC150 has one more for what is out of scope.
    expect(intents).toHaveLength(150 + 1 + 77 - 1);
    expect(utterances).toHaveLength(36_487);
    expect(utterances.filter(({ text }) => text !== text.trim() || text === '')).toStrictEqual([]);
    expect(new Set(utterances.map(({ intent }) => intent)).size).toBe(intents.length);
  });
});

test('data of an unknown kind is a wrong command', () => {
  const { status, stderr } = spawnSync(process.execPath, [BENCH, '--data', 'imagined'], { encoding: 'utf8' });
  expect([status, stderr]).toStrictEqual([2, '--data is generated or real, not imagined\n']);
});
