/**
 * Bytes change under the program's feet, here and on the remote.
 *
 * Every change of a pack or a pointer is found by fsck, or harmless; whatever changes, a command gives the right rows
 * or an error of ours, and never an internal one. A damaged catalogue is made anew from the packs.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { verifyPack } from '../../src/store/pack-verify.ts';
import { parsePointer, pointerPath } from '../../src/repo/working-copy.ts';
import { ALL } from './faults.ts';
import { DATASET, Sandbox } from './sandbox.ts';

const POINTER = join('alice', pointerPath(DATASET));
const INTERNAL = 70;
const CORRUPT = 5;

let intact: Sandbox;
let rows: string;
let clonedRows: string;

beforeAll(async () => {
  intact = Sandbox.make();
  await intact.init('alice', { remote: true });
  await intact.must('alice', 'add', DATASET, intact.batch('a.jsonl', 0, 120));
  await intact.must('alice', 'commit', DATASET, '-m', 'a');
  await intact.must('alice', 'add', DATASET, intact.batch('b.jsonl', 100, 30, 4), '--on-conflict', 'relabel');
  await intact.must('alice', 'commit', DATASET, '-m', 'b');
  await intact.must('alice', 'push');
  await intact.must('alice', 'tag', 'v1', DATASET);
  rows = await read(intact, 'alice');
  cpSync(intact.path('alice'), intact.path('bob'), { recursive: true, filter: (path) => !path.includes('.uttr') });
  clonedRows = (await intact.copy().must('bob', 'cat', DATASET)).stdout;
});
afterAll(() => intact.remove());

describe('packs', () => {
  test('every bit of every pack is checked', async () => {
    let cases = 0;
    for (const name of packsBelow(intact.path('alice', '.uttr'))) {
      const bytes = readFileSync(intact.path('alice', '.uttr', name));
      await intact.withRepository('alice', async ({ localOnly }) => {
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const damaged = Buffer.from(bytes);
          damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
          const error: unknown = await verifyPack(name, damaged, localOnly).catch((thrown: unknown) => thrown);
          if (!isUttrError(error) || !['corrupt', 'incompatible'].includes(error.kind)) {
            throw new Error(`bit ${bit} of ${name}`, { cause: error });
          }
          cases++;
        }
      });
    }
    expect(cases).toBeGreaterThan(10_000);
  });

  test('a pack cut at any length is found', async () => {
    for (const name of packsBelow(intact.path('alice', '.uttr'))) {
      const bytes = readFileSync(intact.path('alice', '.uttr', name));
      for (let length = 0; length < bytes.length; length++) {
        await intact.withRepository('alice', async ({ localOnly }) => {
          const error: unknown = await verifyPack(name, bytes.subarray(0, length), localOnly).catch(
            (thrown: unknown) => thrown,
          );
          expect(isUttrError(error, 'bad-pack'), `${name} cut to ${length} bytes`).toBe(true);
        });
        length += ALL ? 0 : 40;
      }
    }
  });

  test('fsck names a damaged pack, and reads give the right rows or an error', async () => {
    for (const name of packsBelow(intact.path('alice', '.uttr'))) {
      const file = join('alice', '.uttr', name);
      for (const change of someChanges(intact.path(file), ALL ? 60 : 6)) {
        await withDamage(file, change, async (sandbox) => {
          expect(await wrongAnswers(sandbox, 'alice')).toEqual([]);
          expect((await sandbox.run('alice', 'fsck')).code).toBe(CORRUPT);
        });
      }
    }
  });

  test("packs under each other's names, twice, or gone are found or harmless", async () => {
    const [first, second] = packsBelow(intact.path('alice', '.uttr')).map((name) => join('alice', '.uttr', name)) as [
      string,
      string,
    ];
    const swapped = intact.copy();
    cpSync(intact.path(first), swapped.path(second));
    cpSync(intact.path(second), swapped.path(first));
    expect(await wrongAnswers(swapped, 'alice')).toEqual([]);
    expect((await swapped.run('alice', 'fsck')).code).toBe(CORRUPT);
    // The packs hold all they should, under other names: a new index finds it.
    expect((await swapped.run('alice', 'fsck', '--rebuild-index')).code).toBe(0);
    expect(await read(swapped, 'alice')).toBe(rows);
    swapped.remove();

    const doubled = intact.copy();
    cpSync(intact.path(first), doubled.path(`${first.slice(0, -1)}${first.endsWith('0') ? '1' : '0'}`));
    expect((await doubled.run('alice', 'fsck')).code).toBe(0);
    expect(await read(doubled, 'alice')).toBe(rows);
    doubled.remove();

    const gone = intact.copy();
    rmSync(gone.path(first));
    expect((await gone.run('alice', 'fsck')).code).toBe(CORRUPT);
    expect(await wrongAnswers(gone, 'alice')).toEqual([]);
    gone.remove();
  });
});

describe('small files', () => {
  test('every bit of a pointer is checked when it is read, and fsck names the file', async () => {
    const bytes = readFileSync(intact.path(POINTER));
    const good = parsePointer(bytes.toString('utf8'), DATASET);
    const accepted: number[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const text = flipped(bytes, bit).toString('utf8');
      try {
        if (parsePointer(text, DATASET).version === good.version) accepted.push(bit);
      } catch (error) {
        if (!isUttrError(error) || error.kind === 'internal') throw new Error(`bit ${bit}`, { cause: error });
      }
    }
    for (const bit of sample(accepted, ALL ? 200 : 25)) {
      await withDamage(
        POINTER,
        (all) => flipped(all, bit),
        async (sandbox) => {
          expect(await wrongAnswers(sandbox, 'alice')).toEqual([]);
          expect((await sandbox.run('alice', 'fsck')).code).not.toBe(0);
        },
      );
    }
  });

  test.each([POINTER, join('alice', 'uttr.json'), join('alice', '.uttr', 'format.json')])(
    'whatever changes in %s, rows are right or refused',
    async (file) => {
      for (const change of someChanges(intact.path(file), ALL ? 400 : 40)) {
        await withDamage(file, change, async (sandbox) => {
          expect(await wrongAnswers(sandbox, 'alice')).toEqual([]);
        });
      }
    },
  );
});

describe('the catalogue', () => {
  const file = join('alice', '.uttr', 'catalogue.db');

  test('whatever changes in it, rows are right or refused, and a rebuild brings all back', async () => {
    for (const change of someChanges(intact.path(file), ALL ? 800 : 200)) {
      await withDamage(file, change, async (sandbox) => {
        expect(await wrongAnswers(sandbox, 'alice')).toEqual([]);
        const rebuilt = await sandbox.run('alice', 'fsck', '--rebuild-index');
        expect([rebuilt.code, rebuilt.stdout, rebuilt.stderr]).toEqual([0, expect.anything(), expect.anything()]);
        expect(await read(sandbox, 'alice')).toBe(rows);
      });
    }
  });

  test('one that is gone is made anew by the next command, which says so', async () => {
    const sandbox = intact.copy();
    rmSync(sandbox.path(file));
    const answer = await sandbox.run('alice', 'status');
    expect(answer.code).toBe(0);
    expect(answer.stderr).toContain('made anew from the packs: 2 versions');
    expect(await read(sandbox, 'alice')).toBe(rows);
    expect((await sandbox.run('alice', 'fsck')).code).toBe(0);
    sandbox.remove();
  });
});

describe('the remote', () => {
  test('what changes there is found by fsck, and pulls give the right rows or an error', async () => {
    const files = filesBelow(intact.path('remote')).filter((name) => name !== 'format.json');
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const name of files) {
      const file = join('remote', name);
      for (const change of someChanges(intact.path(file), ALL ? 60 : 16)) {
        await withDamage(file, change, async (sandbox) => {
          const cat = await sandbox.run('bob', 'cat', DATASET);
          expect(cat.code === 0 ? cat.stdout : clonedRows).toBe(clonedRows);
          expect([cat.code, cat.stderr]).not.toEqual([INTERNAL, expect.anything()]);
          expect((await sandbox.run('alice', 'fsck', '--remote')).code).toBe(CORRUPT);
        });
      }
    }
  });
});

type Change = (bytes: Buffer) => Buffer;

/** What a person gets to see of the data. */
async function read(sandbox: Sandbox, project: string): Promise<string> {
  const cat = await sandbox.must(project, 'cat', DATASET);
  const diff = await sandbox.must(project, 'diff', `${DATASET}@HEAD~1`, `${DATASET}@HEAD`, '--json');
  return `${cat.stdout}${diff.stdout}`;
}

/** What is wrong with the answers of a project: other rows than the right ones, or an internal error. */
async function wrongAnswers(sandbox: Sandbox, project: string): Promise<string[]> {
  const cat = await sandbox.run(project, 'cat', DATASET);
  const diff = await sandbox.run(project, 'diff', `${DATASET}@HEAD~1`, `${DATASET}@HEAD`, '--json');
  return [
    ...(cat.code === INTERNAL ? [cat.stderr] : []),
    ...(diff.code === INTERNAL ? [diff.stderr] : []),
    ...(cat.code === 0 && !rows.startsWith(cat.stdout) ? [`cat gives other rows: ${cat.stdout}`] : []),
    ...(diff.code === 0 && !rows.endsWith(diff.stdout) ? [`diff gives other rows: ${diff.stdout}`] : []),
  ];
}

/** Makes a damaged copy for the time of `check`. */
async function withDamage(file: string, change: Change, check: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = intact.copy();
  const path = sandbox.path(file);
  const before = readFileSync(path);
  const after = change(before);
  if (after.length < before.length) truncateSync(path, after.length);
  else writeFileSync(path, after);
  try {
    await check(sandbox);
  } catch (error) {
    throw new Error(`${file}: ${describeChange(before, after)}`, { cause: error });
  } finally {
    sandbox.remove();
  }
}

function describeChange(before: Buffer, after: Buffer): string {
  if (after.length !== before.length) return `cut to ${after.length} bytes`;
  const at = before.findIndex((byte, index) => byte !== after[index]);
  return `byte ${at} from ${before[at]} to ${after[at]}`;
}

/** Changes spread over a file by a fixed sequence of numbers: mostly single bits, some cuts. */
function someChanges(path: string, count: number): Change[] {
  const { size } = statSync(path);
  const next = numbers(size);
  return Array.from({ length: count }, (_, index) => {
    if (index % 8 === 7) {
      const length = next() % size;
      return (bytes) => bytes.subarray(0, length);
    }
    const bit = next() % (size * 8);
    return (bytes) => flipped(bytes, bit);
  });
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

function sample<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, index) => index % step === 0);
}

/** The mulberry32 sequence. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

function packsBelow(folder: string): string[] {
  return filesBelow(join(folder, 'packs')).map((name) => join('packs', name));
}
