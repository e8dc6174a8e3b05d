import { describe, expect, test } from 'vitest';
import { Fuzzer, tryToRead } from '../../../scripts/fuzz/fuzzer.ts';
import { mutate } from '../../../scripts/fuzz/mutate.ts';
import { type Sample, SAMPLES, samplesBelow } from '../../../scripts/fuzz/samples.ts';
import { Random } from '../../../scripts/bench/random.ts';
import { HAS_DATA, NO_DATA } from '../../formats/support.ts';

const CASES = 10_000;

const OWN: readonly Sample[] = [
  { name: 'a.csv', bytes: Buffer.from('text,intent\n"hello, you",greet\r\nbye,leave\n') },
  { name: 'b.jsonl', bytes: Buffer.from('{"text":"hello","intent":"greet"}\n{"text":"bye","intent":["a","b"]}\n') },
  { name: 'c.json', bytes: Buffer.from('{"train":[["hello","greet"]],"test":[["bye","leave"]]}') },
];

describe('damaged files', () => {
  test('are the same for the same seed, and others for another', async () => {
    const bytes = (seed: number): Promise<Buffer[]> =>
      Promise.all(Array.from({ length: 30 }, (_, number) => new Fuzzer(OWN, seed).bytesOf(number)));
    expect(await bytes(1)).toEqual(await bytes(1));
    expect(await bytes(1)).not.toEqual(await bytes(2));
    const random = new Random();
    random.restart('batch', 1, 1);
    expect(mutate(Buffer.alloc(0), random)).toBeInstanceOf(Buffer);
  });

  test('of our own formats are read or refused', async () => {
    const { failures, read, refused } = await new Fuzzer(OWN, 7).run(3000);
    expect(failures).toEqual([]);
    expect([read > 500, refused > 100]).toEqual([true, true]);
  });

  test('that are sound are read', async () => {
    for (const { name, bytes } of OWN) expect(await tryToRead(name, bytes)).toEqual({ isRefused: false });
  });

  test.skipIf(!HAS_DATA)(
    `of all tools are read or refused: no crash, nothing that takes 5 s, no record that is none${NO_DATA}`,
    { timeout: 300_000 },
    async () => {
      const { failures, read, refused } = await new Fuzzer(await samplesBelow(SAMPLES), 1).run(CASES);
      expect(failures).toEqual([]);
      expect(read + refused).toBe(CASES);
    },
  );
});
