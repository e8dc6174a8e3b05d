/**
 * Both ways of reading Rasa NLU YAML agree: as a stream of items, and all of it through the parser of YAML.
 *
 * Method: files of random lines that are mostly those of the plain form, with blanks, comments, other indentation,
 * anchors, other keys, other forms and plain nonsense between them; either both ways refuse a file, or both give the
 * same records, lines, problems and notes. The stream gets its bytes cut anywhere.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUttrError } from '../../../src/base/errors.ts';
import type { Format } from '../../../src/formats/format.ts';
import { lazyFormat } from '../../../src/formats/lazy-format.ts';
import { rasaYamlFormat } from '../../../src/formats/rasa/rasa-yaml.ts';
import { readParsedRasaYaml } from '../../../src/formats/rasa/yaml-reader.ts';
import { cut, dataFile, HAS_DATA, NO_DATA, readAll } from '../support.ts';

const parsedFormat = lazyFormat(
  { name: 'rasa-yaml', title: 'the twin', extensions: [], sniff: () => 0 },
  { reader: async () => readParsedRasaYaml },
);

async function outcome(format: Format, bytes: Uint8Array | readonly Uint8Array[]): Promise<unknown> {
  try {
    const { records, rows, lines, problems, report } = await readAll(format, bytes, { gatherBytes: 64 });
    return { records, rows, lines, problems, notes: report.notes };
  } catch (error) {
    if (!isUttrError(error, 'bad-format')) throw error;
    return 'refused';
  }
}

const HEADERS = [
  'intent: a',
  'intent: b c',
  'intent: "d"',
  'intent: yes',
  'intent: true',
  'intent: 1.0',
  'intent:',
  'intent: a+b',
  'synonym: s',
  'regex: r',
  'lookup: l',
  'intent: é  ',
  "intent: 'q'",
  'intent: a # c',
  'intent: a: b',
  'intent: [',
  'intent: &x a',
  'intent: *x',
  'other: o',
  'intent: a  b',
  '{intent: f, examples: "- x"}',
  'plain',
  '"x',
];
const KEYS = [
  'examples: |',
  'examples: |-',
  'examples: |+',
  'examples: |  ',
  'examples: >',
  'examples: |2',
  'examples: | # c',
  'examples:',
  'examples: "- q"',
  'examples: &e |',
  'examples: *e',
  'metadata: {a: 1}',
  'metadata: {"a": [1, "b"]}',
  'intent: a',
  'examples: [x, {text: y}]',
  'examples: |x',
  '',
];
const CONTENT = [
  '- one',
  '- two [x](y)',
  '-  \u{1F600} [a]{"entity": "b"}  ',
  '-three',
  '- - four',
  '- # five',
  '- a: b',
  '- "q"',
  '- &an',
  '- *al',
  '-',
  '- [x]{y}',
  'six',
  '# seven',
  '  - eight',
  '\t- nine',
  '- ten\t',
  '',
  ' ',
  '- \u2028',
  '- \u0085x',
  '- a\rb',
];
const LISTED = [
  '- text: "a"',
  '- text: "a\\n[b](c)"',
  '- text: "\\ud83d\\ude00" ',
  '  metadata: {"r": "s"}',
  '  metadata: {"r": 1, "r": 2}',
  '  metadata: {"n": 1e400}',
  '- text: a',
  '- text: "a" # c',
  '- text: |',
  '    b',
  '  metadata: {r: s}',
  '- text:',
  '- x',
  '- text: "',
  '  text: "b"',
  '-  text: "c"',
  '- text: "d" "e"',
  '# c',
];
const OTHER = [
  '',
  '',
  '  ',
  '# c',
  '    # c',
  'responses:',
  'stories: []',
  'nlu:',
  '---',
  '...',
  '%YAML 1.2',
  '- x: y',
  ' - z',
  '\t',
  'version: "3.1"',
  '- ',
  '-',
  '  - text: "a"',
  '  metadata: {"b": 1}',
  '"',
  '}',
  '&a x: 1',
];

const OUTLINES = [
  '',
  'version: "3.1"\n',
  '# c\n\nversion: "3.1"\n',
  'stories:\n- s: 1\n',
  '---\n',
  '%YAML 1.1\n---\n',
  'a: &e "- an"\n',
  '\ufeff',
  'x: "\n',
  'nlu: []\n',
];

/** One of the first `usual` values as a rule, and any of them now and then. */
function mostly(values: readonly string[], usual: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...values.slice(0, usual)) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  );
}

function rarely(arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string | undefined> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

function near(usual: number): fc.Arbitrary<string> {
  const odd = { weight: 1, arbitrary: fc.nat(8) };
  return fc.oneof({ weight: 60, arbitrary: fc.constant(usual) }, odd).map((count) => ' '.repeat(count));
}

const block = fc
  .tuple(near(4), fc.array(mostly(CONTENT, 8), { maxLength: 5 }))
  .map(([blanks, lines]) => ['examples: |', lines.map((line) => (line === '' ? '' : blanks + line))] as const);
const list = fc
  .tuple(near(2), fc.array(mostly(LISTED, 3), { maxLength: 4 }))
  .map(([blanks, lines]) => ['examples:', lines.map((line) => blanks + line)] as const);
const item = fc
  .tuple(near(0), mostly(HEADERS, 3), near(2), rarely(mostly(KEYS, 4)), fc.oneof(block, list))
  .map(([before, header, blanks, odd, [key, content]]) => [`${before}- ${header}`, blanks + (odd ?? key), ...content]);
const after = rarely(fc.constantFrom(...OTHER)).map((line) => (line === undefined ? [] : [line]));
const file = fc
  .tuple(
    mostly(OUTLINES, 5),
    mostly(['nlu:', 'nlu: # c', '"nlu":', 'nlu: []', 'nlu: |', 'nlu: &a'], 1),
    fc.constantFrom(0, 0, 2),
    fc.array(fc.tuple(item, after), { maxLength: 4 }),
    mostly(['\n', '\r\n', '\n# c\n', '\n\n'], 2),
    fc.constantFrom('\n', ''),
  )
  .map(([outline, nlu, by, items, end, last]) => {
    const lines = items.flat(2).map((line) => (line === '' ? '' : ' '.repeat(by) + line));
    // The parser refuses a tab that ends a file, but not one before the last line end.
    return (outline + [nlu, ...lines].join(end) + last).replace(/\t$/u, '');
  });

test('F3: the stream and the parser agree, however the bytes are cut', async () => {
  const counts = { read: 0, refused: 0, records: 0 };
  await fc.assert(
    fc.asyncProperty(file, fc.array(fc.nat(), { maxLength: 4 }), async (text, places) => {
      const bytes = Buffer.from(text);
      const parsed = await outcome(parsedFormat, bytes);
      expect(await outcome(rasaYamlFormat, cut(bytes, places))).toEqual(parsed);
      if (parsed === 'refused') counts.refused++;
      else counts.read++;
      if (parsed !== 'refused') counts.records += (parsed as { records: unknown[] }).records.length;
    }),
    { numRuns: 3000 },
  );
  // Files that are all refused would show nothing.
  expect(counts.read).toBeGreaterThan(counts.refused);
  expect(counts.records).toBeGreaterThan(3000);
});

test.skipIf(!HAS_DATA).each(['financial-demo', 'nlu-training-data.banking', 'nlu-training-data.car-purchase'])(
  `both ways give the same of %s${NO_DATA}`,
  async (name) => {
    const bytes = await dataFile(`rasa-yaml/${name}${name === 'financial-demo' ? '.nlu' : ''}.yml`);
    expect(await outcome(rasaYamlFormat, bytes)).toEqual(await outcome(parsedFormat, bytes));
  },
);
