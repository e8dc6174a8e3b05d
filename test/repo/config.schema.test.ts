/**
 * The JSON Schema that editors use, and the parser that decides, say the same of every sample.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { CHECKS } from '../../src/checks/registry.ts';
import { defaultDatasetConfig, parseConfig } from '../../src/repo/config.ts';

const SAMPLES = join(import.meta.dirname, '../golden/config');

/** Rules that relate several values, or need arithmetic: no schema can say them. */
const BEYOND_A_SCHEMA = new Set(['duration-long.json', 'sinks-one-name.json', 'split-sum.json']);

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/uttr.schema.json'), 'utf8')) as object;
const validate = new Ajv2020({ allErrors: true, strictTypes: false, strictTuples: false }).compile(schema);

const samples = (kind: string): string[] => readdirSync(join(SAMPLES, kind)).sort();
const read = (kind: string, name: string): string => readFileSync(join(SAMPLES, kind, name), 'utf8');

function isAccepted(text: string): boolean {
  try {
    parseConfig(text);
    return true;
  } catch (error) {
    if (isUttrError(error, 'bad-config', 'bad-split')) return false;
    throw error;
  }
}

describe('uttr.json', () => {
  test.each(samples('valid'))('%s is valid to the schema and to the parser', (name) => {
    const text = read('valid', name);
    validate(JSON.parse(text));
    expect(validate.errors ?? []).toEqual([]);
    expect(isAccepted(text)).toBe(true);
  });

  test.each(samples('invalid'))('%s is invalid to the schema and to the parser', (name) => {
    const text = read('invalid', name);
    expect(isAccepted(text)).toBe(false);
    expect(validate(JSON.parse(text))).toBe(BEYOND_A_SCHEMA.has(name));
  });

  test('the entry that add writes for a new dataset is valid', () => {
    const config = { uttr: 1, datasets: { support: defaultDatasetConfig('support') } };
    expect(validate(config)).toBe(true);
    expect(isAccepted(JSON.stringify(config))).toBe(true);
  });

  test('the schema knows every check with its parameters and their defaults', () => {
    const { $defs } = schema as { $defs: { checks: { properties: Record<string, { properties: object }> } } };
    const known = Object.entries($defs.checks.properties).map(([name, { properties }]) => [
      name,
      Object.entries(properties).map(([key, value]) => [key, (value as { default?: unknown }).default]),
    ]);
    expect(known).toEqual(
      CHECKS.map(({ name, severity, parameters }) => [
        name,
        [
          ['severity', severity],
          ...Object.entries(parameters).map(([key, parameter]) => [key, parameter.default]),
          ['waive', undefined],
        ],
      ]),
    );
  });

  test('every key of the schema has a valid sample that uses it', () => {
    const used = samples('valid')
      .map((name) => read('valid', name))
      .join('\n');
    const unused = schemaKeys(schema).filter((key) => !used.includes(`"${key}"`));
    expect(unused).toEqual([]);
  });
});

/** Names under "properties", at any depth. */
function schemaKeys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    ...(key === 'properties' ? Object.keys(child as object) : []),
    ...schemaKeys(child),
  ]);
}
