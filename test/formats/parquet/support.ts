/** Parquet files as other tools write them, with nested columns and names of labels. */
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';

type WriteOptions = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

export function parquetOf(columnData: ColumnSource[], options: WriteOptions = {}): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData, ...options }));
}

export function texts(name: string, data: readonly (string | null)[]): ColumnSource {
  return { name, data: [...data], type: 'STRING' };
}

/** What `datasets` writes into the footer. */
export function featuresOf(features: unknown): WriteOptions {
  return { kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }] };
}
