/** Reads damaged samples as `uttr add` would, and tells what must not have happened. */
import { UttrError } from '../../src/base/errors.ts';
import { openArchive, writeArchive } from '../../src/formats/archive.ts';
import type { ByteInput, Format } from '../../src/formats/format.ts';
import { detectArchive, detectFormat, HEAD_BYTES } from '../../src/formats/registry.ts';
import { isZip } from '../../src/formats/signature.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { Random } from '../bench/random.ts';
import { mutate } from './mutate.ts';
import type { Sample } from './samples.ts';

/** No file of this size may take longer. */
const LIMIT_MS = 5000;
/** Errors that say that a file is at fault. */
const REFUSALS: ReadonlySet<string> = new Set([
  'bad-format',
  'missing-column',
  'bad-row',
  'bad-option',
  'format-too-new',
]);

export interface FuzzFailure {
  readonly sample: string;
  readonly number: number;
  readonly problem: string;
}

export interface FuzzReport {
  readonly cases: number;
  readonly read: number;
  readonly refused: number;
  readonly failures: readonly FuzzFailure[];
  readonly slowest: { readonly ms: number; readonly sample: string; readonly number: number };
}

export class Fuzzer {
  readonly #samples: readonly Sample[];
  readonly #seed: number;

  constructor(samples: readonly Sample[], seed: number) {
    this.#samples = samples;
    this.#seed = seed;
  }

  /** Runs so many cases, the samples in turn. */
  async run(cases: number): Promise<FuzzReport> {
    const failures: FuzzFailure[] = [];
    let [read, refused] = [0, 0];
    let slowest = { ms: 0, sample: '', number: 0 };
    for (let number = 0; number < cases; number += 1) {
      const sample = this.#samples[number % this.#samples.length] as Sample;
      const began = performance.now();
      const outcome = await tryToRead(sample.name, await this.bytesOf(number));
      const ms = performance.now() - began;
      if (ms > slowest.ms) slowest = { ms, sample: sample.name, number };
      const problem = ms > LIMIT_MS ? `took ${Math.round(ms)} ms` : outcome.problem;
      if (problem !== undefined) failures.push({ sample: sample.name, number, problem });
      else if (outcome.isRefused) refused += 1;
      else read += 1;
    }
    return { cases, read, refused, failures, slowest };
  }

  /** The damaged file of a case. */
  async bytesOf(number: number): Promise<Buffer> {
    const { bytes } = this.#samples[number % this.#samples.length] as Sample;
    const random = new Random();
    random.restart('batch', this.#seed, number);
    // Nearly all damage to a zip is found by its checksums: half of the time what is in it is damaged instead.
    return isZip(bytes) && random.chance(50) ? damageEntry(bytes, random) : mutate(bytes, random);
  }
}

async function damageEntry(bytes: Buffer, random: Random): Promise<Buffer> {
  const { entries } = await openArchive(bytes, 'sample');
  const chosen = random.below(entries.length);
  const files = await Promise.all(
    entries.map(async (entry, at) => {
      const content = await entry.read();
      return { path: entry.path, bytes: at === chosen ? mutate(content, random) : content };
    }),
  );
  return Buffer.concat(await Array.fromAsync(writeArchive(files, 0)));
}

interface Outcome {
  readonly isRefused: boolean;
  readonly problem?: string;
}

/** Reads bytes as a batch. */
export async function tryToRead(name: string, bytes: Buffer): Promise<Outcome> {
  const input: ByteInput = {
    name,
    chunks: async function* () {
      yield bytes;
    },
  };
  try {
    for await (const { records, problems } of (await formatOf(name, bytes)).read(input)) {
      const wrong = records.find((record) => !isSound(record));
      if (wrong !== undefined)
        return { isRefused: false, problem: `gave a record that is none: ${JSON.stringify(wrong)}` };
      const silent = problems.find(({ message }) => message.trim() === '');
      if (silent !== undefined) return { isRefused: false, problem: 'refused a row without saying why' };
    }
    return { isRefused: false };
  } catch (error) {
    if (error instanceof UttrError && REFUSALS.has(error.code)) return { isRefused: true };
    return { isRefused: false, problem: (error as Error).stack ?? String(error) };
  }
}

async function formatOf(name: string, bytes: Buffer): Promise<Format> {
  const head = bytes.subarray(0, HEAD_BYTES);
  if (!isZip(head)) return detectFormat(head, name).format;
  const { entries } = await openArchive(bytes, name);
  return detectArchive(
    entries.map(({ path }) => path),
    name,
  ).format;
}

/** Whether making a record of the record changes nothing (R9). */
function isSound(record: UtteranceRecord): boolean {
  const made = makeRecord(record);
  return 'record' in made && JSON.stringify(made.record) === JSON.stringify(record);
}
