/** Rasa NLU Markdown: sections, items, comments, and Markdown that is something else. */
import { describe, expect, test } from 'vitest';
import { rasaMdFormat } from '../../../src/formats/rasa/rasa-md.ts';
import { readAll, shown } from '../support.ts';

const FULL = `<!-- a comment
over lines -->
## intent:greet
- hey \u{1F600} [du](who)
* hello <!-- [not](me) --> there
  + hi
some prose

##intent: faq/ask_fee
- what is [the fee](topic:fee)?
- C:\\new

## synonym:chinese
+ Chines
## regex:zipcode
- [0-9]{5}
## lookup:cities
  data/cities.txt
## intent:b+a
- x
`;

describe('reading', () => {
  test('intents have examples, other sections are counted', async () => {
    const { records, lines, problems, report } = await readAll(rasaMdFormat, FULL);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      { text: 'hey \u{1F600} du', intent: 'greet', entities: [{ start: 6, end: 8, type: 'who', text: 'du' }] },
      { text: 'hello  there', intent: 'greet' },
      { text: 'hi', intent: 'greet' },
      {
        text: 'what is the fee?',
        intent: 'faq/ask_fee',
        entities: [{ start: 8, end: 15, type: 'topic', value: 'fee', text: 'the fee' }],
      },
      { text: 'C:\\new', intent: 'faq/ask_fee' },
      { text: 'x', intent: ['a', 'b'], meta: { rasa_intent: 'b+a' } },
    ]);
    expect(lines).toEqual([4, 5, 6, 10, 11, 20]);
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['lines that are neither headings nor items, which Rasa passes over, too', 1],
      ['synonyms: chinese', 1],
      ['regular expressions: zipcode', 1],
      ['lookup tables: cities', 1],
    ]);
  });

  test('items outside the sections that Rasa knows are problems', async () => {
    const { records, problems } = await readAll(
      rasaMdFormat,
      '- early\n## intent:a\r\n- one\r\n- [x]{y}\n-\n## story:b\n* two\n## intent:c\n- three\n<!-- open\n- four\n',
    );
    expect(records.map(({ text }) => text)).toEqual(['one', 'three', 'four']);
    expect(shown(problems)).toEqual([
      '1:1 - it stands before the first section; examples belong in a section "## intent:<name>"',
      expect.stringContaining('3:4 text after "[x]", {y} is no annotation') as string,
      '4:5 text "text" is empty',
      '5:7 - it stands in ## story:b; examples belong in a section "## intent:<name>"',
    ]);
  });

  test('many comments that never end take no longer than they should', async () => {
    const text = `## intent:a\n- x\n${'<!-- '.repeat(400_000)}\n- y\n`;
    expect((await readAll(rasaMdFormat, text)).records).toHaveLength(2);
  });
});

test.each([
  ['## intent:greet\n- hi\n', 0.95],
  ['\ufeff<!-- c -->\n\n##  synonym:a\n- b\n', 0.95],
  ['# Guide\n\n## intent:greet\n- hi\n', 0],
  ['## intent:greet\n- hi\n\n## Notes\n', 0],
  ['Use this:\n```md\n## intent:greet\n- hi\n```\n', 0],
  ['# Greeting\n- hi\n', 0],
  ['## happy path\n* greet\n  - utter_greet\n', 0],
  ['## intent:\n- hi\n', 0],
  ['', 0],
])('%j is recognised with %d', (text, confidence) => {
  expect(rasaMdFormat.sniff(Buffer.from(text), 'nlu.md')).toBe(confidence);
});
