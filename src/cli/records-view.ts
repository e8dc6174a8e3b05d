import { parseJson } from '../base/parse-json.ts';
import type { RecordFilter } from '../repo/query.ts';
import type { CliContext } from './context.ts';

/** Prints records as JSON Lines; with `--json` as one document. @returns how many there were */
export async function printRecords(
  context: CliContext,
  target: string | undefined,
  filter: RecordFilter,
  limit: number | undefined,
): Promise<number> {
  const { findRecords } = await import('../repo/query.ts');
  const { parseTarget, resolveVersion } = await import('../repo/versions.ts');
  const { reporter } = context;
  return context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const records: unknown[] = [];
    let count = 0;
    for await (const batch of findRecords(repository, version, filter, limit ?? Infinity)) {
      count += batch.length;
      if (reporter.json) records.push(...batch.map(({ json }) => parseJson(json)));
      else await reporter.data(batch.map(({ json }) => `${json}\n`).join(''));
    }
    if (reporter.json) reporter.result({ dataset: version.manifest.dataset, version: version.hash, records }, () => '');
    return count;
  });
}
