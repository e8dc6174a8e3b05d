import { describe, expect, test } from 'vitest';
import type { CheckedRecord } from '../../src/checks/check.ts';
import { IntentCounts } from '../../src/checks/intent-counts.ts';
import { CHECKS } from '../../src/checks/registry.ts';
import type { Neighbour } from '../../src/checks/run.ts';
import { check, checked, found, type Given } from './support.ts';

const many = (count: number, intent: string, side = 'train'): Given[] =>
  Array.from({ length: count }, (_, at): Given => [`${intent} number ${at}`, intent, side]);

test('names of checks are words with hyphens, and no two are equal', () => {
  const names = CHECKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z]+(?:-[a-z]+)*$/u.test(name))).toEqual([]);
});

describe('conflicting-labels', () => {
  const rows: Given[] = [
    ['To-do list', 'todo'],
    ['to do list', 'reminder', 'test'],
    ['hello', 'greet'],
    ['Hello!', 'greet'],
  ];

  test('one folded text with several labels is an error, wherever its records are', async () => {
    expect(await found('conflicting-labels', rows)).toEqual([
      'error intent: "To-do list" is labelled "reminder", "todo"',
    ]);
  });

  test('what differs in an identity field may differ in its label, and what has no label never does', async () => {
    const roles: Given[] = [
      { text: 'close it', intent: 'a', features: { role: 'agent' } },
      { text: 'close it', intent: 'b', features: { role: 'user' } },
      ['close it'],
    ];
    expect(await found('conflicting-labels', roles, {}, { identity: ['features.role'] })).toEqual([]);
    expect(await found('conflicting-labels', roles)).toHaveLength(1);
  });

  test('a pair of intents, a text or an id waives it, with a name and a reason', async () => {
    const who = { by: 'Ada', why: 'both are right' };
    const { findings, ok } = await check(rows, {}, { only: ['conflicting-labels'] });
    expect(ok).toBe(false);
    for (const waiver of [
      { intents: ['reminder', 'todo'] },
      { texts: ['TO DO list'] },
      { finding: findings[0]?.id },
      { intents: ['reminder', 'todo'], until: '2026-11-23' },
    ]) {
      const declared = { 'conflicting-labels': { waive: [{ ...who, ...waiver }] } };
      const report = await check(rows, declared, { only: ['conflicting-labels'] });
      expect(report).toMatchObject({ ok: true, counts: { error: 0, waived: 1 } });
      expect(report.findings[0]?.waived).toMatchObject(who);
    }
    for (const waiver of [
      { intents: ['todo'] },
      { texts: ['hello'] },
      { texts: ['to do list'], until: '2026-11-22' },
    ]) {
      const declared = { 'conflicting-labels': { waive: [{ ...who, ...waiver }] } };
      const report = await check(rows, declared, { only: ['conflicting-labels'] });
      expect(report.ok).toBe(false);
      expect(report.checks[0]?.unusedWaivers).toHaveLength(1);
    }
  });

  test('the id of a finding does not depend on what else is in the data, or in which batches it comes', async () => {
    const ids = async (given: Given[], batchSize: number): Promise<(string | undefined)[]> =>
      (await check(given, {}, { only: ['conflicting-labels'], batchSize })).findings.map(({ id }) => id);
    expect(await ids(rows, 1)).toEqual(await ids([...many(9, 'other'), ...rows], 5));
  });
});

test('a group on two sides is a leak, now or in any earlier version; one that moved to train is a warning', async () => {
  const rows: Given[] = [
    ['hello', 'greet'],
    ['Hello!', 'greet', 'test'],
    ['bye', 'leave', 'test'],
    ['ok', 'yes'],
    ['spam'],
  ];
  const past: Record<string, string[]> = { bye: ['train'], ok: ['test'], spam: ['train'] };
  const leftSides = (group: string): readonly string[] => past[group] ?? [];
  expect(await found('leaks', rows, {}, { leftSides })).toEqual([
    'error side: "bye" is on test, and was on train in an earlier version',
    'error side: "hello" is on train and on test',
    'warn side: "ok" is on train, and was on test in an earlier version',
  ]);
  expect(await found('leaks', rows, { leaks: { history: false } }, { leftSides })).toHaveLength(1);
});

test('of a change, counting checks tell of the intents it touches, by the counts of the whole version', async () => {
  const counts = new IntentCounts();
  for (const [intent, texts] of [
    ['few', 3],
    ['fewer', 1],
    ['many', 100],
    ['meny', 12],
  ] as const) {
    counts.addTexts(intent, 'train', texts);
  }
  const neighbours = (): Promise<Neighbour[]> => Promise.resolve([]);
  const change = { rows: 116, counts, intents: ['few', 'meny'], neighbours, sample: () => Promise.resolve([]) };
  const around = { change, parentIntents: new Set(['few']) };
  const rows: Given[] = [['a new text', 'few']];
  expect(await found('minimum-per-intent', rows, {}, around)).toEqual([
    'warn intent few: "few" has 3 texts in train; at least 10 are wanted',
  ]);
  expect(await found('intent-names', rows, { 'intent-names': { shortest: 3 } }, around)).toEqual([
    'warn intent meny: "meny" (12 texts) and "many" (100 texts) differ by one character',
  ]);
  expect(await found('imbalance', rows, {}, around)).toEqual([]);
  expect(await found('out-of-scope', rows, {}, around)).toEqual([]);
  const declared = { expectations: { maxRows: 100, minMeanLength: 50 } };
  expect(await found('expectations', rows, declared, around)).toEqual([
    'error dataset: rows: 116; at most 100 expected',
  ]);
});

test('of a change, pairs are those within it, and those with what it leaves alone', async () => {
  const rows = checked([
    ['how much paid time off is left for me', 'balance'],
    ['how much paid time off is left for me a', 'used'],
  ]);
  const [changed] = rows as [CheckedRecord];
  const [other] = checked([['how much paid time off is left for mee', 'balance', 'test']]) as [CheckedRecord];
  const neighbours = (texts: readonly CheckedRecord[], threshold: number): Promise<Neighbour[]> => {
    expect(texts).toEqual(rows);
    expect(threshold).toBe(0.9);
    return Promise.resolve([{ changed, other, similarity: 0.95 }]);
  };
  const sample = (): Promise<CheckedRecord[]> => Promise.resolve([]);
  const change = { rows: 3, counts: new IntentCounts(), intents: ['balance'], neighbours, sample };
  expect(await found('near-duplicates', rows, {}, { change })).toEqual([
    expect.stringContaining(
      'warn intent: "how much paid time off is left for me" (balance) and "how much paid time off is left for me a" (used)',
    ),
    expect.stringContaining(
      'warn side: "how much paid time off is left for me" (train) and "how much paid time off is left for mee" (test)',
    ),
  ]);
});

test('intents are counted by different texts on the side that is trained on', async () => {
  const rows: Given[] = [
    ...many(10, 'full'),
    ...many(9, 'few'),
    ['one', 'single'],
    ['One!', 'single'],
    ...many(20, 'untrained', 'test'),
  ];
  expect(await found('minimum-per-intent', rows)).toEqual([
    'warn intent few: "few" has 9 texts in train; at least 10 are wanted',
    'error intent single: "single" has 1 text in train; at least 2 are wanted',
    'error intent untrained: "untrained" has 0 texts in train; at least 2 are wanted',
  ]);
  expect(await found('minimum-per-intent', rows, { 'minimum-per-intent': { severity: 'info' } })).toEqual(
    expect.arrayContaining([expect.stringMatching(/^info intent single/u)]),
  );
  expect(await found('minimum-per-intent', rows, { 'minimum-per-intent': { warn: 0, error: 0 } })).toEqual([]);
});

test('duplicates, imbalance and names of intents', async () => {
  expect(
    await found('duplicates', [
      ['hello', 'a'],
      ['Hello!', 'a'],
      ['bye', 'b'],
    ]),
  ).toEqual(['info text: "Hello!" is there 2 times'].map((line) => line.replace('Hello!', 'hello')));
  const rows = [...many(30, 'large'), ...many(3, 'b'), ...many(2, 'c')];
  expect(await found('imbalance', rows)).toEqual([
    'warn intent large: "large" has 30 texts, 10.0 times the median of 3',
  ]);
  expect(await found('imbalance', rows, { imbalance: { ratio: 11 } })).toEqual([]);
  const names = ['Refund', 'refund', 'transfer', 'transfers', 'trasnfer', 'faq_1', 'faq_2', 'yes', 'yet'];
  expect(
    await found(
      'intent-names',
      names.map((name, at): Given => [`text ${at}`, name]),
    ),
  ).toEqual([
    'warn intent refund: "refund" (1 texts) and "Refund" (1 texts) differ by case only',
    'warn intent transfers: "transfers" (1 texts) and "transfer" (1 texts) differ by one character',
  ]);
});

test('invisible characters are told with their place, those that belong to a script or an emoji are not', async () => {
  const rows: Given[] = [
    ['pay\u200Bment', 'a'],
    ['abc \u202Edef', 'a'],
    ['bro\uFFFDken 😀', 'a'],
    ['می\u200Cخواهم', 'a'],
    ['family 👨\u200D👩\u200D👧', 'a'],
    ['🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}', 'a'],
    ['plain, tab\tand line\nbreak é', 'a'],
  ];
  const findings = await found('invisible-characters', rows);
  expect(findings.toSorted()).toEqual([
    'warn text, character 4: "bro<U+FFFD>ken 😀" holds U+FFFD (replacement character)',
    'warn text, character 4: "pay<U+200B>ment" holds U+200B (zero-width space)',
    'warn text, character 5: "abc <U+202E>def" holds U+202E (writing direction)',
  ]);
});

test('placeholders are found, addresses and brackets of prose are not', async () => {
  const left = [
    'go to {city}',
    'go to {{city}}',
    'go to @city',
    'go to [paris](city)',
    'hi <name>',
    'hi %s',
    'hi %(name)s',
  ];
  expect(
    await found(
      'placeholders',
      left.map((text): Given => [text, 'a']),
    ),
  ).toHaveLength(left.length);
  const fine = ['mail me at ada@example.org', '5 < 7 and 8 > 3', 'only 20% say so', 'an {} empty one', '100 %'];
  expect(
    await found(
      'placeholders',
      fine.map((text): Given => [text, 'a']),
    ),
  ).toEqual([]);
  expect(await found('placeholders', [['ask @support', 'a']], { placeholders: { allow: ['@support'] } })).toEqual([]);
});

test('personal data is told by its kind; numbers whose check digits are wrong are not', async () => {
  const kinds: Record<string, string> = {
    'write to ada.l+x@mail.example.org please': 'an e-mail address',
    'call +49 30 1234567': 'a phone number',
    'call (555) 123-4567': 'a phone number',
    'my card is 4111 1111 1111 1111': 'a card number',
    'pay DE89 3704 0044 0532 0130 00 now': 'an IBAN',
  };
  const rows = Object.keys(kinds).map((text): Given => [text, 'a']);
  const { findings } = await check(rows, {}, { only: ['personal-data'] });
  expect(Object.fromEntries(findings.map(({ records, message }) => [records[0]?.text, message]))).toEqual(
    Object.fromEntries(Object.entries(kinds).map(([text, kind]) => [text, `holds what looks like ${kind}`])),
  );
  const fine = [
    'on 2026-11-23 at 10:15',
    'card 4111 1111 1111 1112',
    'host 192.168.100.200',
    'order 1234567890',
    'costs 1,000,000.00',
    'DE00 3704 0044 0532 0130 00',
    '0000 0000 0000 0000',
  ];
  expect(
    await found(
      'personal-data',
      fine.map((text): Given => [text, 'a']),
    ),
  ).toEqual([]);
  expect(
    await found('personal-data', rows, { 'personal-data': { email: false, phone: false, card: false } }),
  ).toHaveLength(1);
});

test('length is counted in characters, not in bytes or code units', async () => {
  const rows: Given[] = [
    ['😀'.repeat(500), 'a'],
    ['x'.repeat(501), 'a'],
  ];
  expect(await found('text-length', rows)).toEqual([expect.stringMatching(/has 501 characters; 500 are allowed$/u)]);
});

test('entities with blanks at the edges, overlapping, or marked in one of two equal texts', async () => {
  const rows: Given[] = [
    { text: 'fly to Rome now', intent: 'a', entities: [{ start: 6, end: 11, type: 'city', text: ' Rome' }] },
    {
      text: 'from New York',
      intent: 'a',
      entities: [
        { start: 5, end: 13, type: 'city', text: 'New York' },
        { start: 9, end: 13, type: 'state', text: 'York' },
      ],
    },
    { text: 'to Paris!', intent: 'a', entities: [{ start: 3, end: 8, type: 'city', text: 'Paris' }] },
    ['to paris', 'a'],
  ];
  expect((await found('entity-spans', rows)).toSorted()).toEqual([
    expect.stringMatching(/^warn entities: "to .*" is there 2 times, with different entities$/iu),
    'warn entities[0]: the city " Rome" begins or ends with a blank',
    'warn entities[1]: the state "York" overlaps the city "New York"',
  ]);
  expect(await found('entity-spans', rows, { 'entity-spans': { overlapping: false } })).toHaveLength(2);
});

test('the share out of scope, and intents that are new or gone', async () => {
  const rows: Given[] = [...many(3, 'greet'), ...many(1, 'oos')];
  expect(await found('out-of-scope', rows)).toEqual(['info dataset: 1 of 4 texts (25.0 %) are out of scope ("oos")']);
  expect(await found('intent-changes', rows)).toEqual([]);
  const report = await check(rows, {}, { only: ['intent-changes'], parentIntents: new Set(['oos', 'greed', 'leave']) });
  expect(report.findings.map(({ message, hint }) => `${message} (${hint})`)).toEqual([
    '"greet" is new, with 3 texts (was "greed" meant?)',
    '"greed" is gone (nothing to do if it is meant; models trained before still answer with it)',
    '"leave" is gone (nothing to do if it is meant; models trained before still answer with it)',
  ]);
});

test('expectations ask for nothing until they are declared', async () => {
  const rows: Given[] = [['hello', 'greet'], { text: 'bye', intent: 'leave', features: { role: 'agent' } }];
  expect(await found('expectations', rows)).toEqual([]);
  const declared = { intents: ['greet'], features: ['role'], minRows: 3, maxMeanLength: 3 };
  expect(await found('expectations', rows, { expectations: declared })).toEqual([
    'error intent: "bye" has the intent "leave", which is not allowed',
    'error features: "hello" lacks "role"',
    'error dataset: rows: 2; at least 3 expected',
    'error dataset: mean length: 4; at most 3 expected',
  ]);
});

describe('near-duplicates', () => {
  const rows: Given[] = [
    ['why has my transfer not gone through yet', 'pending', 'train'],
    ['why has my transfer not gone through yet?!', 'pending', 'train'],
    ['why has my transfers not gone through yet', 'failed', 'train'],
    ['please book a table for two people tonight', 'book', 'train'],
    ['please book a table for two peoples tonight', 'book', 'test'],
    ['something else altogether', 'other', 'test'],
    ['please book a table for two people tonights'],
  ];

  test('pairs with other intents come first, then pairs on other sides; the unlabelled are in none', async () => {
    const findings = await found('near-duplicates', rows, { 'near-duplicates': { threshold: 0.85 } });
    expect(findings).toEqual([
      expect.stringMatching(
        /^warn intent: .*\((?:pending|failed)\) and .*\((?:pending|failed)\) are nearly equal \(0\.88\)$/u,
      ),
      expect.stringMatching(/^warn side: .*\((?:train|test)\) and .*\((?:train|test)\) are nearly equal \(0\.\d\d\)$/u),
    ]);
    expect(await found('near-duplicates', rows, { 'near-duplicates': { threshold: 0.85, sides: false } })).toHaveLength(
      1,
    );
    expect(await found('near-duplicates', rows, { 'near-duplicates': { threshold: 1 } })).toEqual([]);
  });

  test('a search that has no end is ended, and says so', async () => {
    const template = Array.from({ length: 30 }, (_, at): Given => [
      `the very long text of a template, row ${at}`,
      `i${at}`,
    ]);
    const findings = await found('near-duplicates', template, { 'near-duplicates': { threshold: 0.7, maxPairs: 10 } });
    expect(findings.at(-1)).toBe('warn dataset: the search ended after 10 nearly equal pairs');
  });
});

test('a text whose neighbours agree on another intent is suspicious', async () => {
  const rows: Given[] = [
    ['how much paid time off is left for me a', 'balance'],
    ['how much paid time off is left for me b', 'balance'],
    ['how much paid time off is left for me c', 'balance'],
    ['how much paid time off is left for me d', 'used'],
  ];
  expect(await found('suspicious-intents', rows)).toEqual([
    'info intent: "how much paid time off is left for me d" is used, but 3 of its 3 neighbours are balance',
  ]);
  expect(await found('suspicious-intents', rows, { 'suspicious-intents': { maxTexts: 3 } })).toEqual([
    'info dataset: 4 different texts were not compared with their neighbours: it would take minutes',
  ]);
  expect(await found('suspicious-intents', rows, { 'suspicious-intents': { maxPairs: 1 } })).toEqual([
    'info dataset: the search ended after 1 pairs of neighbours',
  ]);
});

test('a text in another script than its language is told', async () => {
  const rows: Given[] = [
    ...many(20, 'greet'),
    ['привет', 'greet'],
    { text: 'здравствуйте', intent: 'greet', lang: 'ru' },
  ];
  expect(await found('scripts', rows)).toEqual(['info text: "привет" is written in Cyrillic, the texts in Latin']);
});

test('a check that is off does not run, and empty data has no findings', async () => {
  const report = await check([['a', 'x']], { 'minimum-per-intent': { severity: 'off' } });
  expect(report.checks.find(({ check: name }) => name === 'minimum-per-intent')?.severity).toBe('off');
  expect(await check([])).toMatchObject({ ok: true, records: 0, findings: [] });
});
