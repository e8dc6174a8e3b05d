/**
 * The reading with several threads is a fast twin: whatever the file, the staged file must be that of one reader.
 *
 * Method: the same file once as a file, which may be read in parallel, and once as a stream, which never is.
 */
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generate } from '../../scripts/bench/generate.ts';
import { add } from '../../src/repo/add.ts';
import type { AddSummary } from '../../src/repo/add-summary.ts';
import { isParallel } from '../../src/repo/batch-files.ts';
import { World } from './world.ts';

/** More than two stretches of 8 MiB. */
const ROWS = 150_000;
const lines = [...generate({ rows: ROWS, seed: 3 })];

interface Staged {
  readonly summary: AddSummary;
  readonly bytes: Buffer;
}

async function stage(path: string, kind: 'file' | 'stream', rejects?: string): Promise<Staged> {
  const copy = await new World().copy('copy', { remote: false });
  const name = 'batch.jsonl';
  const summary = await copy.open((repository) =>
    add(
      repository,
      'support',
      [kind === 'file' ? { kind, path, name } : { kind, name, stream: createReadStream(path) }],
      { onConflict: 'relabel', rejects },
    ),
  );
  const folder = join(copy.root, '.uttr', 'staged');
  const [file] = readdirSync(folder);
  return { summary, bytes: readFileSync(join(folder, file ?? '')) };
}

async function expectTwins(content: string, rejects = false): Promise<Staged> {
  const world = new World();
  const path = join(world.root, 'batch.jsonl');
  writeFileSync(path, content);
  expect(isParallel('jsonl', Buffer.byteLength(content), {})).toBe(true);
  const rejectsOf = (name: string): string | undefined => (rejects ? join(world.root, name) : undefined);
  const one = await stage(path, 'stream', rejectsOf('one.jsonl'));
  const several = await stage(path, 'file', rejectsOf('several.jsonl'));
  expect(several.bytes.equals(one.bytes)).toBe(true);
  expect(several.summary.rows).toEqual(one.summary.rows);
  expect(several.summary.changes).toEqual(one.summary.changes);
  expect(several.summary.rejected).toEqual(one.summary.rejected);
  expect(several.summary.newIntents).toEqual(one.summary.newIntents);
  expect(several.summary.batch).toEqual(one.summary.batch);
  expect(several.summary.files.map(({ columns }) => columns)).toEqual(one.summary.files.map(({ columns }) => columns));
  return several;
}

describe('a large file read by several threads', () => {
  test('stages what one reader stages, duplicates and repeated labels included', { timeout: 120_000 }, async () => {
    const again = lines.slice(0, 500).map((line) => line.replace(/"intent":"[^"]*"/u, '"intent":"another"'));
    const { summary } = await expectTwins([...lines, ...lines.slice(1000, 1500), ...again].join(''));
    expect(summary.rows.read).toBe(ROWS + 1000);
    expect(summary.rows.duplicate).toBeGreaterThanOrEqual(500);
  });

  test('stages what one reader stages where single lines are not plain', { timeout: 120_000 }, async () => {
    const odd = [
      '{"intent":"a","text":"no features"}\n',
      '{"text":"another order","intent":"a"}\n',
      '{"features":{"b":"1","a":"2"},"intent":"a","text":"keys out of order"}\n',
      '{"features":{"n":7},"intent":"a","text":"a number"}\n',
      '{"intent":"a","text":"an \\"escape\\""}\n',
      '{"intent":"a","text":"Straße und Kaffee ☕"}\n',
      '{"intent":["b","a"],"text":"two labels"}\n',
      '{"id":"7","intent":"a","text":"an id"}\n',
      '{ "intent": "a", "text": "blanks" }\n',
    ];
    const mixed = [...lines];
    for (const [index, line] of odd.entries()) mixed[index * 15_000 + 7] = line;
    const { summary } = await expectTwins(mixed.join(''));
    expect(summary.rows.read).toBe(ROWS);
  });

  test('is read in one piece, places and all, when one row far inside is bad', { timeout: 120_000 }, async () => {
    const spoiled = [...lines];
    spoiled[ROWS - 10] = '{"text":"","intent":"x"}\n';
    const { summary } = await expectTwins(spoiled.join(''), true);
    expect(summary.rejected).toMatchObject([{ row: ROWS - 9, line: ROWS - 9 }]);
  });

  test('counts rows and lines apart where blank lines lie between', { timeout: 120_000 }, async () => {
    const spaced = [...lines];
    spaced[10] = `\n\n${spaced[10] ?? ''}`;
    spaced[ROWS - 1] = '{"text":"","intent":"x"}\n';
    const { summary } = await expectTwins(spaced.join(''), true);
    expect(summary.rejected).toMatchObject([{ row: ROWS, line: ROWS + 2 }]);
  });
});
