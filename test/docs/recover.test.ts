/** docs/recover.sh gets all records back with a shell, zstd and jq: no line of uttr runs. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { absent, recover, whySkipped } from './recovery.ts';

const GOLDEN = new URL('../golden/store-v1/', import.meta.url).pathname;
const isRequired = process.env['UTTR_REQUIRE_ALL'] === '1';
const folder = mkdtempSync(join(tmpdir(), 'uttr-recover-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.runIf(isRequired)('the tools that recovery needs are here', () => {
  expect(absent).toEqual([]);
});

describe.skipIf(absent.length > 0)(`recover.sh${whySkipped}`, () => {
  test.each(['support', 'calls'])('finds every record of %s that its head names', (dataset) => {
    const out = join(folder, 'out of it', dataset);
    expect(recover(join(GOLDEN, 'remote'), dataset, out)).toMatchObject({ code: 0 });
    const frozen = readdirSync(join(GOLDEN, 'records')).filter((name) => name.startsWith(`${dataset}-`));
    expect(readdirSync(out).map((name) => `${dataset}-${name}`)).toEqual(frozen);
    for (const name of frozen) {
      const text = readFileSync(join(out, name.slice(dataset.length + 1)), 'utf8');
      expect(text).toBe(readFileSync(join(GOLDEN, 'records', name), 'utf8'));
    }
  });

  test('takes an older version by its name', () => {
    const [first] = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as { version: string }[];
    const result = recover(join(GOLDEN, 'remote'), 'support', join(folder, 'first'), first?.version as string);
    expect(result).toMatchObject({ code: 0 });
    expect(result.said).toContain('193 records in');
  });

  test('P6: stops at a byte that is not what it was', () => {
    const store = join(folder, 'damaged');
    cpSync(join(GOLDEN, 'remote'), store, { recursive: true });
    const [pack] = readdirSync(join(store, 'packs/d'));
    const bytes = readFileSync(join(store, 'packs/d', pack as string));
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(join(store, 'packs/d', pack as string), bytes);
    expect(recover(store, 'support', join(folder, 'none')).code).not.toBe(0);
  });

  test('says what it cannot find', () => {
    expect(recover(join(GOLDEN, 'remote'), 'nothing', join(folder, 'none'))).toMatchObject({
      code: 1,
      said: expect.stringContaining('name a version') as string,
    });
  });
});
