import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanRecord, type CleanRules, hasRules, makeCleaner, MASKS } from '../../src/records/clean.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

const ALL: CleanRules = { stripHtml: true, mask: MASKS, collapseWhitespace: true, maxCharacters: 500 };

const cleaned = (text: string, rules: CleanRules = ALL): string | undefined =>
  cleanRecord({ text, intent: 'a' }, rules).record?.text;

/** Much of what rules look for, and what looks like it. */
const PARTS =
  '<b>|</b>|<br/>|<p class="x">|&amp;|&lt;|&#233;|&nbsp;|&bogus;|<|>|&|<!-- x -->|ada@example.org|+49 170 1234567|' +
  '4111 1111 1111 1111|12345678|<email>|2026-11-23|0170/1234567| |  |\t|\u00a0|\n|hello|wörld|😀|שלום|.|,';

const texts = fc
  .array(fc.constantFrom(...PARTS.split('|')), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.join(''));

describe('cleaning', () => {
  test('takes tags away, reads references, and leaves what only looks like HTML', () => {
    const rules = { stripHtml: true };
    expect(cleaned('<p>I <b>can</b>not pay</p>', rules)).toBe('I cannot pay');
    expect(cleaned('one<br>two<!-- three -->', rules)).toBe('one two');
    expect(cleaned('caf&eacute; &#233; &#x1F600; &quot;x&quot; &bogus; &', rules)).toBe(
      'caf&eacute; é 😀 "x" &bogus; &',
    );
    expect(cleaned('a < b and c > d', rules)).toBe('a < b and c > d');
    expect(cleaned('I <3 you', rules)).toBe('I <3 you');
    expect(cleaned('&lt;b&gt; &amp;amp;', rules)).toBe('&lt;b> &amp;amp;');
  });

  test('masks what it is asked to', () => {
    const rules = { mask: MASKS };
    expect(cleaned('write to ada.l+x@mail.example.org, please', rules)).toBe('write to <email>, please');
    expect(cleaned('call +49 (170) 123-4567 or 0170/1234567', rules)).toBe('call <phone> or <phone>');
    expect(cleaned('my card 4111 1111 1111 1111 is lost', rules)).toBe('my card <card> is lost');
    expect(cleaned('my card 4111 1111 1111 1111', { mask: ['phone'] })).toBe('my card 4111 1111 1111 1111');
    expect(cleaned('order 12345678, on 3.5.2026, for 1,234,567.89', rules)).toBe(
      'order 12345678, on 3.5.2026, for 1,234,567.89',
    );
    expect(cleaned('a@b and @ada', rules)).toBe('a@b and @ada');
  });

  test('a cleaner made once does to many records what is done to each alone', () => {
    const records = ['<b>a</b>', 'a  b', 'plain'].map((text) => ({ text, intent: 'a' }));
    expect(records.map((record) => makeCleaner(ALL)?.(record))).toEqual(
      records.map((record) => cleanRecord(record, ALL)),
    );
    expect([makeCleaner({}), makeCleaner({ mask: [] })]).toEqual([undefined, undefined]);
  });

  test('makes one blank of whitespace, and drops what is too long or has no text left', () => {
    expect(cleaned('a \t b\u00a0c\nd', { collapseWhitespace: true })).toBe('a b c d');
    expect(cleanRecord({ text: 'x😀x' }, { maxCharacters: 3 }).record?.text).toBe('x😀x');
    expect(cleanRecord({ text: 'x😀xx' }, { maxCharacters: 3 })).toEqual({
      record: undefined,
      applied: ['maxCharacters'],
    });
    expect(cleanRecord({ text: '<p></p>' }, { stripHtml: true })).toEqual({
      record: undefined,
      applied: ['stripHtml', 'empty'],
    });
  });

  test('says which rules changed a record, in their order', () => {
    const text = '<i>mail</i>  ada@example.org';
    expect(cleanRecord({ text }, ALL).applied).toEqual(['stripHtml', 'mask email', 'collapseWhitespace']);
    expect([hasRules({}), hasRules({ mask: [] }), hasRules({ maxCharacters: 9 }), hasRules(ALL)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('entities move along with the text (Y3)', () => {
    const text = '<b>😀 fly</b> to  New   York from ada@example.org';
    const marked = (covered: string, type: string): object => {
      const start = Array.from(text.slice(0, text.indexOf(covered))).length;
      return { start, end: start + Array.from(covered).length, type };
    };
    const entities = [marked('New   York', 'city'), marked('ada@example', 'from'), marked('<b>', 'tag')];
    const made = makeRecord({ text, intent: 'fly', entities });
    if (!('record' in made)) throw new Error(JSON.stringify(made));
    const { record } = cleanRecord(made.record, ALL);
    expect(record?.text).toBe('😀 fly to New York from <email>');
    expect(record?.entities?.map(({ text, type }) => [type, text])).toEqual([
      ['city', 'New York'],
      ['from', '<email>'],
    ]);
  });

  test('nothing is changed where no rule applies, or twice, and entities stay true (Y1, Y2, Y3)', () => {
    const records = texts.chain((text) =>
      fc
        .array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 20 })), { maxLength: 4 })
        .map((spans): UtteranceRecord | undefined => {
          const length = Array.from(text).length;
          const entities = spans
            .map(([start, size]) => ({
              start: start % length,
              end: Math.min(length, (start % length) + size),
              type: 'x',
            }))
            .filter(({ start, end }) => Array.from(text).slice(start, end).join('').trim() !== '');
          const made = makeRecord({ text, intent: 'a', entities });
          return 'record' in made ? made.record : undefined;
        }),
    );
    fc.assert(
      fc.property(records, (record) => {
        if (record === undefined) return;
        const { record: once, applied } = cleanRecord(record, ALL);
        expect(once === record).toBe(applied.length === 0);
        if (once === undefined) return;
        const points = Array.from(once.text);
        for (const { start, end, text } of once.entities ?? []) expect(points.slice(start, end).join('')).toBe(text);
        expect(cleanRecord(once, ALL).record).toEqual(once);
      }),
      { numRuns: 2000 },
    );
  });
});
