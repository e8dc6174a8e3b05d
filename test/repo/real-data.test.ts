/** Real datasets, grown as people grow theirs: what invented rows are too regular to show. */
import { describe, expect, test } from 'vitest';
import { fsck } from '../../src/repo/fsck.ts';
import { csvFormat } from '../../src/formats/csv.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll } from '../formats/support.ts';
import { type Row, World } from './world.ts';

const BATCHES = 10;

const DATASETS: Readonly<Record<string, () => Promise<Row[]>>> = {
  BANKING77: async () => {
    const files = await Promise.all(['train', 'test'].map((name) => dataFile(`banking77/${name}.csv`)));
    const read = await Promise.all(files.map((file) => readAll(csvFormat, file)));
    return read.flatMap(({ records }) => records.map(({ text, intent }) => ({ text, intent: intent as string })));
  },
  CLINC150: async () => {
    const parts = JSON.parse((await dataFile('clinc150/data_full.json')).toString()) as Record<
      string,
      [string, string][]
    >;
    return Object.values(parts).flatMap((part) => part.map(([text, intent]) => ({ text, intent })));
  },
};

describe.skipIf(!HAS_DATA)(`a real dataset${NO_DATA}`, () => {
  test.for(Object.keys(DATASETS))(
    '%s, grown in ten commits, is sound, sent and had by others as it was',
    async (name) => {
      const rows = (await DATASETS[name]?.()) ?? [];
      const size = Math.ceil(rows.length / BATCHES);
      const world = new World();
      const copy = await world.copy('ada');
      for (let from = 0; from < rows.length; from += size) {
        const { crossed } = await copy.put(rows.slice(from, from + size));
        expect(crossed).toBe(0);
      }
      expect(await copy.open((repository) => fsck(repository, {}))).toMatchObject({ ok: true, problems: [] });
      await copy.push();
      const other = world.clone(copy, 'bob');
      await other.pull();
      expect(await other.open((repository) => fsck(repository, {}))).toMatchObject({ ok: true });
      expect(await other.records()).toEqual(await copy.records());
    },
  );
});
