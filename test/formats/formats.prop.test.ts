/**
 * Formats: round trips, and independence of how bytes are cut.
 *
 * Method: records and files from an alphabet in which every special character is frequent (quotes, delimiters,
 * line ends, brackets, escapes, characters of two to four bytes). Tables are compared with what an independent
 * parser reads from the same bytes.
 */
import { parseJson } from '../../src/base/parse-json.ts';
import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { CsvParser, type CsvRow } from '../../src/formats/csv-parser.ts';
import { csvFormat, tsvFormat } from '../../src/formats/csv.ts';
import type { Format } from '../../src/formats/format.ts';
import { jsonFormat } from '../../src/formats/json.ts';
import { jsonlFormat } from '../../src/formats/jsonl.ts';
import { FORMATS } from '../../src/formats/registry.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { cut, readAll, writeAll } from './support.ts';

const SPECIAL = ['"', ',', ';', '\t', '\n', '\r', ' ', "'", '=', '[', ']', '{', '}', ':', '\\', '\ufeff'];
const PLAIN = ['a', 'B', '7', 'é', '中', '\u{1F600}', '\u0301', '\u2028', '-'];

const word = fc.string({ unit: fc.constantFrom(...PLAIN, ...SPECIAL), maxLength: 12 });
const name = fc.string({ unit: fc.constantFrom('a', 'é', '[', ' ', '"', ',', '.'), minLength: 1, maxLength: 5 });
const value = fc.oneof(
  word,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);

const record: fc.Arbitrary<UtteranceRecord> = fc
  .record(
    {
      text: word.map((text) => `x${text}`),
      intent: fc.oneof(name, fc.array(name, { maxLength: 3 })),
      id: word,
      lang: fc.constantFrom('en', 'pt-BR'),
      entities: fc.constant([{ start: 0, end: 1, type: 'letter', text: 'x' }]),
      features: fc.dictionary(name, value, { maxKeys: 3 }),
      meta: fc.dictionary(name, fc.oneof(value, fc.array(value, { maxLength: 2 })), { maxKeys: 2 }),
    },
    { requiredKeys: ['text'] },
  )
  .map((loose) => makeRecord(loose))
  .filter((made) => 'record' in made)
  .map((made) => made.record);

/** Numbers that print alike are alike: minus zero does not survive canonical JSON. */
function plain(records: readonly UtteranceRecord[]): unknown {
  return parseJson(JSON.stringify(records));
}

describe('what is written is read back', () => {
  test.each([jsonlFormat, csvFormat, tsvFormat].map((format) => [format.name, format] as const))(
    'F4: read(write(records)) = records (%s)',
    async (_, format) => {
      await fc.assert(
        fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
          const { problems, ...read } = await readAll(format, await writeAll(format, records));
          expect(problems).toEqual([]);
          expect(plain(read.records)).toEqual(plain(records));
        }),
        { numRuns: 300 },
      );
    },
  );

  test('F4: formulas that were disarmed are read back on request', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
        const bytes = await writeAll(csvFormat, records, { escapeFormulas: true, lineEnd: '\r\n' });
        const read = await readAll(csvFormat, bytes, { unescapeFormulas: true });
        expect(plain(read.records)).toEqual(plain(records));
      }),
    );
  });
});

/** Everything a reading gives, errors included, as comparable JSON. */
async function outcome(format: Format, pieces: readonly Uint8Array[], gatherBytes: number): Promise<unknown> {
  try {
    const { report, ...read } = await readAll(format, pieces, { gatherBytes });
    return JSON.parse(
      JSON.stringify({ ...read, notes: report.notes, rows: report.rows, columns: [...report.columns] }),
    );
  } catch (error) {
    // Anything but an error of ours is a fault of the reader.
    if (!isUttrError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

const START: Readonly<Record<string, string>> = {
  csv: 'text,label,"x"\n',
  tsv: 'text\tlabel\tx\n',
  json: '[["a","b"],',
  jsonl: '{"text":"a"}\n',
};

/** Bytes that are nearly a file: pieces of syntax, records, and bytes that are no text. */
const mess = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('"', ',', '\n', '\r', '\r\n', '\t', 'a', 'é', '\u{1F600}', '""', '[', ']', '{', '}'),
      },
      {
        weight: 3,
        arbitrary: fc.constantFrom('a,b,c\n', 'a\tb\tc\r\n', '["x","y"]', '{"text":"q"}\n', '{"text":"q"},', '"m\nn",'),
      },
      { weight: 1, arbitrary: fc.constantFrom('\\', '\\"', ':', '\0', ' ', 'null', '"text":') },
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

const badBytes = fc.option(fc.tuple(fc.nat(), fc.constantFrom(0x80, 0xc3, 0xe9, 0xff, 0xf0)), { nil: undefined });

describe('how bytes are cut', () => {
  test.each(FORMATS.map((format) => [format.name, format] as const))(
    'F3: any pieces give the same records, places, problems and errors (%s)',
    async (formatName, format) => {
      await fc.assert(
        fc.asyncProperty(
          mess,
          badBytes,
          fc.array(fc.nat(), { maxLength: 8 }),
          fc.integer({ min: 1, max: 20 }),
          async (content, bad, places, gather) => {
            const bytes = Buffer.from((START[formatName] ?? '') + content);
            if (bad !== undefined) bytes[bad[0] % bytes.length] = bad[1];
            const whole = await outcome(format, [bytes], 1 << 20);
            expect(await outcome(format, cut(bytes, places), gather)).toEqual(whole);
            expect(
              await outcome(
                format,
                [...bytes].map((byte) => Uint8Array.of(byte)),
                1,
              ),
            ).toEqual(whole);
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  test('F3: UTF-16LE may be cut within a character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat()),
        async (records, places) => {
          const text = (await writeAll(csvFormat, records)).toString();
          const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
          const read = await readAll(csvFormat, cut(bytes, places), { gatherBytes: 1 });
          expect(plain(read.records)).toEqual(plain(records));
        },
      ),
      { numRuns: 50 },
    );
  });
});

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

describe('tables against another parser', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', 'é', '\u{1F600}', '"', ',', '\n', '\r', '\r\n', ' '),
    maxLength: 6,
  });
  const isQuoted = fc.boolean();
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.array(fc.array(fc.tuple(cell, isQuoted), { minLength: width, maxLength: width }), { maxLength: 8 }),
    );

  function print(rows: readonly (readonly (readonly [string, boolean])[])[], lineEnd: string): string {
    return rows
      .map((cells) =>
        cells
          .map(([text, quoted]) => (quoted || /["\r\n,]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
          .join(','),
      )
      .join(lineEnd);
  }

  test('well-formed tables have the same cells and lines', () => {
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n', '\r'), fc.boolean(), (rows, lineEnd, endsWithLine) => {
        const text = print(rows, lineEnd) + (endsWithLine ? lineEnd : '');
        const expected = parse(text, { record_delimiter: lineEnd, skip_empty_lines: true });
        const parser = new CsvParser({ file: '', delimiter: ',', looseQuotes: false });
        const found: CsvRow[] = parser.push(text, true);
        expect(found.map((row) => row.cells)).toEqual(expected);
        expect(found.filter((row) => row.fault !== undefined)).toEqual([]);
        for (const row of found) {
          expect(text.slice(row.start, row.end)).toBe(row.raw);
          expect((text.slice(0, row.start).match(/\r\n|\r|\n/gu)?.length ?? 0) + 1).toBe(row.line);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('what the other parser refuses is refused here too', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n'), maxLength: 12 }), (text) => {
        const strict = { record_delimiter: '\n', skip_empty_lines: true, relax_column_count: true };
        const refused = throws(() => parse(text, strict));
        const parser = new CsvParser({ file: '', delimiter: ',', looseQuotes: false });
        let rows: CsvRow[] = [];
        const faulty = throws(() => (rows = parser.push(text, true))) || rows.some((row) => row.fault !== undefined);
        expect(faulty).toBe(refused);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('JSON against JSON.parse', () => {
  test('each element of a list is cut out whole', async () => {
    const element = fc.jsonValue({ maxDepth: 4 }).map((item) => ({ text: 'x', meta: { item } }));
    await fc.assert(
      fc.asyncProperty(fc.array(element, { maxLength: 5 }), fc.constantFrom(0, 2), async (elements, indent) => {
        const text = JSON.stringify(elements, null, indent);
        const { records, problems } = await readAll(jsonFormat, text, { gatherBytes: 7 });
        for (const problem of problems) expect(problem.message).toMatch(/lose digits|not allowed|surrogate|empty/u);
        expect(records.length + new Set(problems.map((problem) => problem.row)).size).toBe(elements.length);
        const expected = (JSON.parse(text) as unknown[]).filter((_, index) =>
          problems.every(({ row }) => row !== index + 1),
        );
        expect(plain(records)).toEqual(plain(expected as UtteranceRecord[]));
      }),
    );
  });
});
