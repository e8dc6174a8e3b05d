import CryptoJS from 'crypto-js';
import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/records/encode-record.ts';
import { recordKey } from '../../src/records/key.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { goldenFiles } from './golden.ts';

interface ValidRow {
  readonly row: object;
  readonly identity: readonly string[];
  readonly record: string;
  readonly sha256: string;
  readonly key: string;
}

describe('golden records', () => {
  test.each(goldenFiles('records/valid'))(
    'R5, R8: $name gives the record and key it gave when it was written',
    ({ text }) => {
      const golden = JSON.parse(text) as ValidRow;
      const made = makeRecord(golden.row) as { readonly record: UtteranceRecord };
      expect(encodeRecord(made.record)).toBe(golden.record);
      expect(recordKey(made.record, golden.identity)).toBe(golden.key);
    },
  );

  test.each(goldenFiles('records/valid'))('the bytes of $name have the SHA-256 that crypto-js gives', ({ text }) => {
    const golden = JSON.parse(text) as ValidRow;
    expect(CryptoJS.SHA256(CryptoJS.enc.Utf8.parse(golden.record)).toString(CryptoJS.enc.Hex)).toBe(golden.sha256);
  });

  test.each(goldenFiles('records/invalid'))('$name is refused with the problems it had', ({ text }) => {
    const { row, problems } = JSON.parse(text) as { readonly row: object; readonly problems: readonly unknown[] };
    expect(makeRecord(row)).toEqual({ problems });
  });
});
