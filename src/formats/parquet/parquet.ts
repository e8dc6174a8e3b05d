/** Parquet: a table by columns, packed, with its schema at the end; what most published datasets are in. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';

const MAGIC = [0x50, 0x41, 0x52, 0x31];

export const parquetFormat: Format = lazyFormat(
  {
    name: 'parquet',
    title: 'Parquet',
    extensions: ['.parquet'],
    sniff: (head, name) => {
      if (MAGIC.every((byte, index) => head[index] === byte)) return 0.95;
      return name.toLowerCase().endsWith('.parquet') ? 0.5 : 0;
    },
  },
  {
    reader: async () => (await import('./parquet-reader.ts')).readParquet,
    writer: async () => (await import('./parquet-writer.ts')).writeParquet,
  },
);
