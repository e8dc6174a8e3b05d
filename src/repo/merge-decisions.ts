/**
 * Decisions about a merge as a table that people fill in with a spreadsheet: text, base, ours, theirs, keep.
 */
import { existsSync } from 'node:fs';
import { csvFormat } from '../formats/csv.ts';
import { rowFormatter } from '../formats/csv-writer.ts';
import { writeDurably } from '../store/durable-file.ts';
import { UttrError } from '../base/errors.ts';
import { BatchInput } from './input.ts';
import { readOpenMerge } from './open-merge.ts';
import type { Repository } from './repository.ts';

const COLUMNS = ['text', 'base', 'ours', 'theirs', 'keep'];

/** Writes the table of an open merge unless the file is there. @returns whether it was written. @throws no-merge */
export async function writeDecisions(repository: Repository, dataset: string, path: string): Promise<boolean> {
  const open = await readOpenMerge(repository, dataset);
  if (open === undefined) throw new UttrError('no-merge', `no merge of ${dataset} waits for a decision`);
  if (existsSync(path)) return false;
  const row = rowFormatter(',', {});
  const rows = open.conflicts.map(({ text, base, ours, theirs }) => row([text, base, ours, theirs, '']));
  await writeDurably(path, Buffer.from(row(COLUMNS) + rows.join('')));
  return true;
}

/** What the column `keep` says, by text; rows that say nothing are left out. */
export async function readDecisions(path: string): Promise<Map<string, string>> {
  const input = await BatchInput.open({ kind: 'file', path, name: path });
  const keep = new Map<string, string>();
  try {
    for await (const batch of csvFormat.read(input, { map: { text: 'text', intent: 'keep' } })) {
      for (const { text, intent } of batch.records) if (typeof intent === 'string') keep.set(text, intent);
    }
  } finally {
    await input.close();
  }
  return keep;
}
