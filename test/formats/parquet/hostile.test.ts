/**
 * Parquet files that mean harm, or were damaged: each is refused in little time and memory.
 *
 * Method: sound files in which one number is changed, and the structs of Thrift by themselves.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../../src/base/errors.ts';
import { parquetFormat } from '../../../src/formats/parquet/parquet.ts';
import { walkStruct } from '../../../src/formats/parquet/thrift-structs.ts';
import { readAll, shown, writeAll } from '../support.ts';
import { featuresOf, parquetOf, texts } from './support.ts';

const ROWS = Array.from({ length: 200 }, (_, index) => `text ${index}`);

/** The file with some bytes in place of others that occur in it once. */
function replaced(bytes: Buffer, from: readonly number[], to: readonly number[]): Buffer {
  const at = bytes.indexOf(Buffer.from(from));
  expect([at > 0, bytes.indexOf(Buffer.from(from), at + 1)]).toEqual([true, -1]);
  const copy = Buffer.from(bytes);
  copy.set(to, at);
  return copy;
}

function refusal(message: string): object {
  return { code: 'bad-format', message: `memory cannot be read as a Parquet file: ${message}` };
}

describe('files that are no Parquet', () => {
  test.each([
    ['', 'memory is empty, no Parquet file'],
    ['text,intent\n', 'memory is no Parquet file'],
    ['\u0089PNG\r\n\u001a\n', 'memory is a PNG image, no Parquet file'],
    ['PARE and so on', 'memory is an encrypted Parquet file, no Parquet file'],
  ])('%j', async (content, message) => {
    await expect(readAll(parquetFormat, Buffer.from(content, 'latin1'))).rejects.toMatchObject({
      code: 'bad-format',
      message,
    });
  });

  test('cut short at any length, they are refused', async () => {
    const bytes = await writeAll(parquetFormat, [{ text: 'a', intent: 'b' }]);
    for (let length = 1; length < bytes.length; length++) {
      await expect(readAll(parquetFormat, bytes.subarray(0, length))).rejects.toMatchObject({ code: 'bad-format' });
    }
  });
});

describe('files that claim more than they hold', () => {
  test('a run of levels longer than its page', async () => {
    // 200 values that are all there: a run of 200 ones, 400 as a varint, then the level.
    const bytes = parquetOf([texts('text', ROWS)], { codec: 'UNCOMPRESSED' });
    expect((await readAll(parquetFormat, bytes)).records).toHaveLength(200);
    const bomb = replaced(bytes, [0x90, 0x03, 0x01], [0xfe, 0x7f, 0x01]);
    await expect(readAll(parquetFormat, bomb)).rejects.toMatchObject(refusal('a run is longer than its page'));
  });

  test('a run of dictionary places longer than its page', async () => {
    const bytes = parquetOf(
      [
        texts(
          'text',
          ROWS.map(() => 'same text'),
        ),
      ],
      { codec: 'UNCOMPRESSED' },
    );
    expect((await readAll(parquetFormat, bytes)).records).toHaveLength(200);
    const at = bytes.indexOf(Buffer.from([0x90, 0x03, 0x01]));
    const places = bytes.indexOf(Buffer.from([0x90, 0x03]), at + 1);
    expect(places).toBeGreaterThan(at);
    const bomb = Buffer.from(bytes);
    bomb.set([0xfe, 0x7f], places);
    await expect(readAll(parquetFormat, bomb)).rejects.toMatchObject(refusal('a run is longer than its page'));
  });

  test('pages that unpack to far more than the file', async () => {
    const text = 'x'.repeat(65_536);
    const meta = { name: 'meta', data: Array.from({ length: 3000 }, () => text), type: 'STRING' as const };
    const bytes = parquetOf(
      [
        texts(
          'text',
          meta.data.map(() => 'a'),
        ),
        meta,
      ],
      { rowGroupSize: 3000 },
    );
    expect(bytes.length).toBeLessThan(20_000);
    await expect(readAll(parquetFormat, bytes)).rejects.toMatchObject(
      refusal('it would unpack to more than 200 times its size'),
    );
  });

  test('more rows than there are values', async () => {
    const bytes = parquetOf([texts('text', ['a']), texts('intent', ['b'])]);
    const { length } = bytes;
    const wrong = Buffer.from(bytes);
    // The number of rows of the group stands last in it, twice one for the zigzag.
    let changed = 0;
    for (let at = length - 9; at > length - 400 && changed === 0; at--) {
      if (wrong[at] !== 0x16 || wrong[at + 1] !== 0x02) continue;
      wrong[at + 1] = 0x06;
      changed = at;
    }
    expect(changed).toBeGreaterThan(0);
    await expect(readAll(parquetFormat, wrong)).rejects.toMatchObject({ code: 'bad-format' });
  });
});

describe('schemas that are refused', () => {
  test('columns of one name, and names that reach a prototype', async () => {
    const twice = parquetOf([texts('text', ['a']), texts('b', ['b']), texts('b', ['c'])]);
    await expect(readAll(parquetFormat, twice)).rejects.toMatchObject({
      code: 'bad-format',
      message: 'memory: columns 2 and 3 are both called "b"',
    });
    const reserved = parquetOf([texts('text', ['a']), texts('__proto__', ['b'])]);
    await expect(readAll(parquetFormat, reserved)).rejects.toMatchObject({
      message: 'memory: no column may be called "__proto__"',
    });
  });

  test('nesting without end', async () => {
    const deep = Array.from({ length: 60 }, (_, level) => ({
      name: `level ${level}`,
      num_children: 1,
      repetition_type: 'OPTIONAL' as const,
    }));
    const bytes = parquetOf([{ name: 'level 1', data: [null] }], {
      schema: [...deep, { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' }],
    });
    await expect(readAll(parquetFormat, bytes)).rejects.toMatchObject(
      refusal('its schema is nested in no possible way'),
    );
  });

  test('names of labels are data, whatever they are', async () => {
    const label = { names: ['toString', '__proto__'], _type: 'ClassLabel' };
    const bytes = parquetOf([texts('text', ['a', 'b']), { name: 'label', data: [0n, 1n] }], featuresOf({ label }));
    const { records, problems } = await readAll(parquetFormat, bytes);
    expect(records).toEqual([{ text: 'a', intent: 'toString' }]);
    expect(shown(problems)).toEqual(['2:2 label "intent" may not be __proto__']);
  });
});

describe('structs of Thrift', () => {
  const walk = (...bytes: number[]): unknown => [...walkStruct(Uint8Array.from(bytes), 0).fields];

  test('numbers and structs are found by their fields', () => {
    // Field 1: -1; field 2: true; field 4: a struct whose field 1 is 5; then the end.
    expect(walk(0x15, 0x01, 0x11, 0x2c, 0x15, 0x0a, 0x00, 0x00)).toEqual([
      [1, -1],
      [2, true],
      [4, expect.objectContaining({ fields: new Map([[1, 5]]) })],
    ]);
  });

  test.each([
    ['a list that claims two thousand million elements', [0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['a number without end', [0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['structs without end', Array.from({ length: 1000 }, () => 0x1c)],
    ['lists without end', [0x19, ...Array.from({ length: 1000 }, () => 0x19)]],
    ['a text longer than the bytes', [0x18, 0x7f, 0x61]],
    ['no end', [0x15, 0x02]],
    ['an unknown type', [0x1d, 0x00]],
  ])('%s: refused', (_, bytes) => {
    expect(() => walk(...bytes)).toThrow(expect.objectContaining({ code: 'bad-row' }));
  });

  /** Where the struct ends; 0 where it was refused. Anything else that is thrown is a fault. */
  const endOf = (bytes: Uint8Array): number => {
    try {
      return walkStruct(bytes, 0).end;
    } catch (error) {
      if (isUttrError(error, 'bad-row')) return 0;
      throw error;
    }
  };

  test('any bytes are walked or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(endOf(bytes)).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

/** `read`, or the code of the error. */
async function outcomeOf(bytes: Buffer): Promise<string> {
  try {
    const { report, records } = await readAll(parquetFormat, bytes);
    return report.accepted === records.length ? 'read' : 'miscounted';
  } catch (error) {
    return isUttrError(error) ? error.code : String(error);
  }
}

test('a file with any bytes changed is read or refused', async () => {
  const names = { label: { names: ['a', 'b'], _type: 'ClassLabel' } };
  const sound = parquetOf(
    [
      texts('text', ROWS),
      { name: 'label', data: ROWS.map((_, index) => BigInt(index % 2)) },
      texts(
        'lang',
        ROWS.map((_, index) => (index % 3 ? 'en' : null)),
      ),
    ],
    { ...featuresOf(names), rowGroupSize: 70, pageSize: 200 },
  );
  const change = fc.tuple(fc.nat({ max: sound.length - 13 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = Buffer.from(sound);
      for (const [at, byte] of changes) bytes[at + 4] = byte;
      expect(await outcomeOf(bytes)).toMatch(/^(?:read|bad-format|missing-column)$/u);
    }),
    { numRuns: 500 },
  );
});
