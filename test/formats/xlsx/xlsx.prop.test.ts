/**
 * Workbooks: round trips, and any bytes in their place.
 *
 * Method: records from an alphabet in which every character is frequent that XML or workbooks escape; sheets from
 * pieces of their syntax in any order.
 */
import { parseJson } from '../../../src/base/parse-json.ts';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../../src/base/errors.ts';
import { csvFormat } from '../../../src/formats/csv.ts';
import { SharedStrings } from '../../../src/formats/xlsx/shared-strings.ts';
import { sheetRows } from '../../../src/formats/xlsx/sheet-rows.ts';
import { xlsxFormat } from '../../../src/formats/xlsx/xlsx-format.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll, writeAll } from '../support.ts';
import { built } from './built-workbook.ts';

const PLAIN = ['a', 'é', '中', '😀', '\u05d0', '"', '&', '<', '>', ']', '[', '{', ',', "'", '=', ' ', '\n', '\r', '\t'];
const ESCAPES = ['_', 'x', '0', '4', '1', '_x0041_', '_x', '\u0001', '\u001f', '\u007f', '\u0085', '\u2028', '\ufffe'];
const unit = fc.constantFrom(...PLAIN, ...ESCAPES, '\ufeff');

/** Numbers that print alike are alike: minus zero does not survive canonical JSON. */
function plain(records: readonly UtteranceRecord[]): unknown {
  return parseJson(JSON.stringify(records));
}

/** Rows of a sheet whose XML comes in pieces of this size, or the message of the error. */
async function rowsOf(xml: string, pieceSize: number): Promise<unknown> {
  const strings = new SharedStrings();
  strings.add('shared');
  const bytes = Buffer.from(
    `<?xml version="1.0"?><worksheet><sheetData><row r="1"></row>${xml}</sheetData></worksheet>`,
  );
  const stream = async function* (): AsyncGenerator<Buffer> {
    for (let from = 0; from < bytes.length; from += pieceSize) yield bytes.subarray(from, from + pieceSize);
  };
  const part = { path: 'sheet.xml', sizeBytes: bytes.length, read: async () => bytes, stream };
  const sheet = { name: 'Sheet1', isHidden: false, part };
  const workbook = { file: 'x', sheets: [sheet], strings, styles: [], is1904: false, hasMacros: false };
  try {
    return (await Array.fromAsync(sheetRows(workbook, sheet))).flat();
  } catch (error) {
    if (!isUttrError(error, 'bad-format')) throw error;
    return error.message;
  }
}

function byAddress(a: string, b: string): number {
  return (/r="(\w)/u.exec(a)?.[1] ?? '') < (/r="(\w)/u.exec(b)?.[1] ?? '') ? -1 : 1;
}

describe('workbooks of any content', () => {
  test('F4: read(write(records)) = records, and the columns are those of CSV', async () => {
    const word = fc.string({ unit, maxLength: 14 });
    const name = fc.string({ unit: fc.constantFrom('a', '[', '_x0041_', '<', ' ', '3'), minLength: 1, maxLength: 4 });
    const loose = fc.record(
      {
        text: word.map((text) => `x${text}`),
        intent: fc.oneof(name, fc.array(name, { maxLength: 3 })),
        id: fc.oneof(word, fc.constantFrom('007', '1E5')),
        lang: fc.constantFrom('en', 'pt-BR'),
        entities: fc.constant([{ start: 0, end: 1, type: 'letter', text: 'x' }]),
        features: fc.dictionary(name, fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 }),
        meta: fc.dictionary(name, word, { maxKeys: 2 }),
      },
      { requiredKeys: ['text'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(loose, { minLength: 1, maxLength: 6 }), async (given) => {
        const records = given.flatMap((draft) => {
          const made = makeRecord(draft);
          return 'record' in made ? [made.record] : [];
        });
        const read = await readAll(xlsxFormat, await writeAll(xlsxFormat, records));
        expect(read.problems).toEqual([]);
        expect(plain(read.records)).toEqual(plain(records));
        expect(read.report.header).toEqual(
          (await readAll(csvFormat, await writeAll(csvFormat, records))).report.header,
        );
      }),
      { numRuns: 150 },
    );
  });

  test('XML in pieces of any size gives the same rows, whether the parser or the shortcut takes them', async () => {
    const cell = fc.constantFrom(
      '<c r="A1" t="str"><v>a</v></c>',
      '<c r="B1" s="1" t="s"><v>0</v></c>',
      '<c r="C1" t="inlineStr"><is><t xml:space="preserve"> c </t></is></c>',
      '<c r="D1"><v>4</v></c>',
      '<c r="E1" s="2"/>',
      '<c r="F1" t="str"><v>a &amp; b</v></c>',
      '<c t="str" r="G1"><v>g</v></c>',
      '<c r="H1"><f>1</f><v>1</v></c>',
      '<c r="I1" t="b"><v>1</v></c><!-- </row><row r="900"><c r="A1" t="str"><v>no</v></c></row> -->',
      '<c r="J1" t="str"><v><![CDATA[</row><row r="901">]]></v></c>',
    );
    const rows = fc
      .array(fc.uniqueArray(cell, { maxLength: 5 }), {
        maxLength: 6,
      })
      .map((list) =>
        list
          .map((cells, index) => `<row r="${index + 2}" spans="1:9">${cells.sort(byAddress).join('')}</row>`)
          .join(''),
      );
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 60 }), async (xml, size) => {
        const whole = await rowsOf(xml, xml.length + 1000);
        expect(await rowsOf(xml, size)).toEqual(whole);
        expect(await rowsOf(xml, 1)).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('a sheet of any tags gives records and problems with places, or an error of ours', async () => {
    const piece = fc.constantFrom(
      '<row>',
      '</row>',
      '<row r="3">',
      '<row r="x">',
      '<c>',
      '</c>',
      '<c r="B2" t="s">',
      '<c t="str">',
      '<c t="inlineStr">',
      '<c t="b">',
      '<v>',
      '</v>',
      '<is><t>',
      '</t></is>',
      '<f/>',
      '<row><c t="str"><v>text</v></c><c t="str"><v>intent</v></c></row>',
      '<row><c t="str"><v>a</v></c><c t="s"><v>0</v></c></row>',
      '1',
      'a',
      '&#13;',
      '&b;',
      '<![CDATA[<]]>',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const bytes = await built({ sheets: [{ rows: pieces.join('') }], strings: '<si><t>one</t></si>' });
        try {
          const { records, problems, report } = await readAll(xlsxFormat, bytes);
          expect(report.accepted).toBe(records.length);
          for (const { pointer } of problems) expect(pointer).toMatch(/^Sheet1![A-Z]+\d+$/u);
        } catch (error) {
          // Anything but an error of ours is a fault of the reader.
          if (!isUttrError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('damaged anywhere, a workbook is read as the same records or refused', async () => {
    const records = [{ text: 'hello world', intent: 'greet' }, { text: 'bye' }];
    const bytes = await writeAll(xlsxFormat, records);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(bytes);
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at);
        try {
          expect((await readAll(xlsxFormat, damaged)).records).toEqual(records);
        } catch (error) {
          if (!isUttrError(error, 'bad-format')) throw error;
        }
      }),
      { numRuns: 400 },
    );
  });
});
