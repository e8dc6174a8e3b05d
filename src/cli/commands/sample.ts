import { parseJson } from '../../base/parse-json.ts';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { parseCount } from '../options.ts';

interface Flags {
  readonly count: number;
  readonly seed: string;
  readonly side?: string;
}

export function registerSample(program: Command, context: CliContext): void {
  program
    .command('sample')
    .description('some records at random, as JSON Lines; the same seed gives the same records')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('-n, --count <count>', 'how many', parseCount, 10)
    .option('--seed <text>', 'what the draw depends on', '0')
    .option('--side <side>', 'train, test or unlabelled only')
    .action((target: string | undefined, flags: Flags) => runSample(context, target, flags));
}

async function runSample(context: CliContext, target: string | undefined, flags: Flags): Promise<void> {
  const { sampleRecords } = await import('../../repo/query.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  const { reporter } = context;
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const found = await sampleRecords(repository, version, flags.count, flags.seed, flags.side);
    if (!reporter.json) return reporter.data(found.map(({ json }) => `${json}\n`).join(''));
    const records = found.map(({ json }) => parseJson(json));
    reporter.result({ dataset: version.manifest.dataset, version: version.hash, seed: flags.seed, records }, () => '');
  });
}
