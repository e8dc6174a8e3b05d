import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../../src/base/errors.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import { snipsYamlFormat } from '../../../src/formats/snips/snips.ts';
import { dataFiles, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

const FLIGHTS = `# searchFlight
---
type: intent
name: searchFlight
slots:
  - name: date
    entity: snips/datetime
utterances:
  - find \u{1F600} a flight from [origin:city](Paris) to [destination:city](New York)
  - leave [date](this weekend) to [destination](Berlin), [seat](window)
  - 42
  - yes
  - "quoted: [x"
---
type: entity
name: city
values:
  - london
  - [new york, big apple]
`;

describe('reading Snips datasets in YAML', () => {
  test('the slot comes first, its text second; its entity may be named elsewhere', async () => {
    const { records, lines, problems, report } = await readAll(snipsYamlFormat, FLIGHTS);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      {
        text: 'find \u{1F600} a flight from Paris to New York',
        intent: 'searchFlight',
        entities: [
          { type: 'city', role: 'origin', start: 21, end: 26, text: 'Paris' },
          { type: 'city', role: 'destination', start: 30, end: 38, text: 'New York' },
        ],
      },
      {
        text: 'leave this weekend to Berlin, window',
        intent: 'searchFlight',
        entities: [
          { type: 'snips/datetime', role: 'date', start: 6, end: 18, text: 'this weekend' },
          { type: 'city', role: 'destination', start: 22, end: 28, text: 'Berlin' },
          { type: 'seat', start: 30, end: 36, text: 'window' },
        ],
      },
      { text: '42', intent: 'searchFlight' },
      { text: 'yes', intent: 'searchFlight' },
      { text: 'quoted: [x', intent: 'searchFlight' },
    ]);
    expect(lines).toEqual([9, 10, 11, 12, 13]);
    expect(report.notes).toEqual([{ code: 'side-information', message: 'entities: city', count: 1 }]);
  });

  test('an utterance with a slot that has no text is a template without a label', async () => {
    const file = 'type: intent\nname: 1.0\nutterances:\n- fly to [city]\n- "[a:b] (c) [d](e)"\n- fly [city](to\n';
    const { records, report } = await readAll(snipsYamlFormat, file);
    expect(records).toEqual([
      { text: 'fly to [city]', meta: { template: true, intent: '1.0' } },
      { text: '[a:b] (c) [d](e)', meta: { template: true, intent: '1.0' } },
      { text: 'fly [city](to', meta: { template: true, intent: '1.0' } },
    ]);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'template', count: 3 })]);
  });

  test('each bad utterance is a problem with its line, and its neighbours are read', async () => {
    const file = [
      'type: intent',
      'name:',
      'utterances:',
      '- [list, of, words]',
      '- go to [](there)',
      '- go to [a]()',
      `- ${'x'.repeat(70_000)}`,
      '-',
      '- go',
      '---',
      'type: intent',
      'name: A',
      'utterances: go',
      '---',
      'type: intent',
      'name: Empty',
      '---',
    ];
    const { records, problems, report } = await readAll(snipsYamlFormat, file.join('\n'));
    expect(records).toEqual([{ text: 'go' }]);
    expect(shown(problems)).toEqual([
      '1:1 name the intent has no name: its utterances are unlabelled',
      '2:4 text an utterance is a list, not a text',
      '3:5 text a slot has no name',
      '4:6 text the slot "a" has no text',
      '5:7 text an utterance has more than 65536 characters',
      '6:8 text an utterance is null, not a text',
      '8:11 utterances "utterances" is a text, not a list',
    ]);
    expect(report.notes.map(({ message }) => message)).toEqual(['intents without utterances: Empty']);
  });

  test.each([
    ['', 'memory is empty'],
    ['- a\n', 'memory:1: a document is a list'],
    ['type: intent\nname: a\n---\ntype: story\n', 'memory:4: a document has no "type: intent"'],
    ['type: intent\ntype: intent\n', 'memory:2: it is not valid YAML'],
    [`type: intent\nname: ${'['.repeat(20_000)}`, 'memory'],
  ])('a file that cannot be read is one error: %.40j', async (content, message) => {
    await expect(readAll(snipsYamlFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test('any list of utterances is read or refused, and the texts are those of the file without the marks', async () => {
    const line = fc.string({
      unit: fc.constantFrom(...Array.from('ab []():,\u{1F600}é"')),
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (utterances) => {
        const file = `type: intent\nname: a\nutterances: ${JSON.stringify(utterances)}\n`;
        try {
          const { records, report } = await readAll(snipsYamlFormat, file);
          expect(report.rows).toBe(utterances.length);
          for (const { text, entities = [] } of records) {
            for (const entity of entities) {
              expect(Array.from(text).slice(entity.start, entity.end).join('')).toBe(entity.text);
              expect(
                utterances.some(
                  (utterance) => utterance.includes(`](${entity.text}`) || utterance.includes(entity.text),
                ),
              ).toBe(true);
            }
          }
        } catch (error) {
          if (!isUttrError(error)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['snips-yaml', FLIGHTS, 'a.yaml'],
  ['snips-yaml', 'name: city\r\ntype: entity # of cities\r\nvalues: [a]\r\n', 'stdin'],
  ['snips-yaml', '', 'a.snips.yml'],
  ['none', 'type: intent\nwords: a\n', 'stdin'],
  ['none', 'kind: x\n  type: intent\n  name: y\n  values:\n', 'stdin'],
])('%s: %.30j in %s', (name, content, file) => {
  expect(nameOf(Buffer.from(content), file)).toBe(name);
});

function nameOf(head: Uint8Array, file: string): string {
  try {
    return detectFormat(head, file).format.name;
  } catch {
    return 'none';
  }
}

test.skipIf(!HAS_DATA)(`no file of another format is taken for Snips YAML${NO_DATA}`, async () => {
  const found: string[] = [];
  for await (const { path, head } of dataFiles()) if (snipsYamlFormat.sniff(head, 'stdin') > 0) found.push(path);
  expect(found).toEqual([]);
});
