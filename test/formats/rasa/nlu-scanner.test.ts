/** Rasa NLU YAML as a stream: limits, bytes that are no text, and what the parser gets to see. */
import { expect, test } from 'vitest';
import { rasaYamlFormat } from '../../../src/formats/rasa/rasa-yaml.ts';
import { readAll, shown } from '../support.ts';

const HEAD = 'nlu:\n- intent: a\n  examples: |\n';

test('a plain file may be longer than the parser could hold, and comes in batches', async () => {
  const line = '    - what is the balance of my account number 1234567890?\n';
  const bytes = Buffer.from(HEAD + line.repeat(100_000));
  const batches: number[] = [];
  const reading = rasaYamlFormat.read({
    name: 'long',
    async *chunks() {
      for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
    },
  });
  for await (const batch of reading) batches.push(batch.records.length);
  expect(batches.reduce((sum, count) => sum + count, 0)).toBe(100_000);
  // What is left over of one part goes with the next.
  expect(Math.max(...batches)).toBeLessThan(2000);
});

test.each([
  ['a block', HEAD, (index: number) => `    - number ${index} of many, as long as it takes\n`],
  [
    'a list',
    'nlu:\n- intent: a\n  examples:\n',
    (index: number) => `  - text: "number ${index} of many"\n    metadata: {"role": "driver"}\n`,
  ],
])('%s beyond the limit of the parser gives the same as in short items', async (form, head, unit) => {
  const units = Array.from({ length: 100_000 }, (_, index) => unit(index));
  const long = await readAll(rasaYamlFormat, head + units.join(''));
  const tail = units.map((text, index) => (index % 1000 === 0 ? head.replace('nlu:\n', '') : '') + text).join('');
  const short = await readAll(rasaYamlFormat, `nlu:\n${tail}`);
  expect(long.records.length).toBe(100_000);
  expect(long.records).toEqual(short.records);
  const size = form === 'a list' ? 2 : 1;
  expect(long.lines.at(-1)).toBe(3 + 100_000 * size - size + 1);
  expect(long.problems).toEqual([]);
});

test('what stops a long item from being plain is refused at its line', async () => {
  const line = '    - what is the balance of my account number 1234567890?\n';
  await expect(readAll(rasaYamlFormat, `${HEAD + line.repeat(100_000)}  metadata: {}\n`)).rejects.toMatchObject({
    message: expect.stringMatching(/^[^:]+:\d+: more YAML than is read at once/u) as string,
  });
});

test('after plain items, other forms and other keys are read with the right lines', async () => {
  const text = `${HEAD}    - one\n\n# c\n- intent: b\n  metadata: {r: s}\n  examples: |\n    - two\n- intent: c\n  examples: &x |\n    - three\n- intent: d\n  examples: *x\nresponses: {}\n`;
  const { records, lines, report } = await readAll(rasaYamlFormat, text);
  expect(records).toEqual([
    { text: 'one', intent: 'a' },
    { text: 'two', intent: 'b', features: { r: 's' } },
    { text: 'three', intent: 'c' },
    { text: 'three', intent: 'd' },
  ]);
  expect(lines.slice(0, 3)).toEqual([4, 10, 13]);
  expect(report.notes).toEqual([{ code: 'side-information', message: 'other keys of the file: responses', count: 1 }]);
});

test('an error far down names its own line', async () => {
  const text = `${HEAD}${'    - x\n'.repeat(1000)}responses:\n  a: 1\n  a: 2\n`;
  await expect(readAll(rasaYamlFormat, text)).rejects.toMatchObject({ details: { line: 1006 } });
});

test('a line that is no UTF-8 is a problem where it is an example, and an error elsewhere', async () => {
  const bytes = Buffer.from(`${HEAD}    - good\n    - caf\u00e9\n    - fine\n`, 'latin1');
  const { records, problems } = await readAll(rasaYamlFormat, bytes);
  expect(records.map(({ text }) => text)).toEqual(['good', 'fine']);
  expect(shown(problems)).toEqual([expect.stringContaining('2:5 - byte 0xE9 at offset') as string]);
  const broken = [
    'nlu:\n- intent: caf\u00e9\n  examples: |\n    - x\n',
    'nlu:\n- intent: a\n  examples:\n  - text: "\u00e9"\n',
    `${HEAD}    - \u00e9\n  metadata: {}\n`,
    '# \u00e9\nnlu: []\n',
    `${HEAD}    - x\nresponses: \u00e9\n`,
  ];
  for (const text of broken) {
    await expect(readAll(rasaYamlFormat, Buffer.from(text, 'latin1'))).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('byte 0xE9') as string,
    });
  }
});

test.each([
  ['a list that is not plain', 'nlu:\n- intent: a\n  examples:\n', '  - text: a word\n', 6],
  ['a file without "nlu"', 'stories:\n', '- story: one of many\n', 6],
  ['what follows an anchor', 'nlu:\n- intent: &a a\n', '- intent: b\n', 6],
  ['a line', HEAD, '    - x ', 9],
])('%s has its limit', async (_, head, unit, megabytes) => {
  const text = head + unit.repeat((megabytes * 2 ** 20) / unit.length);
  await expect(readAll(rasaYamlFormat, text)).rejects.toMatchObject({ code: 'bad-format' });
});

test('UTF-16 is text like any other', async () => {
  const bytes = Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(`${HEAD}    - gr\u00fc\u00df\n`, 'utf16le')]);
  const { records, report } = await readAll(rasaYamlFormat, bytes);
  expect([records, report.encoding]).toEqual([[{ text: 'gr\u00fc\u00df', intent: 'a' }], 'utf-16le']);
});
