import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { table } from '../reporter.ts';
import { short } from '../words.ts';

interface Flags {
  readonly force?: boolean;
  readonly delete?: boolean;
}

export function registerTag(program: Command, context: CliContext): void {
  program
    .command('tag')
    .description('give a version a name that stays; without a name, list them')
    .argument('[name]', 'the name, e.g. v1.0')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('--force', 'move a tag that is there')
    .option('--delete', 'remove the tag from this working copy')
    .action((name: string | undefined, target: string | undefined, flags: Flags) =>
      runTag(context, name, target, flags),
    );
}

async function runTag(
  context: CliContext,
  name: string | undefined,
  target: string | undefined,
  flags: Flags,
): Promise<void> {
  const { addTag, listTags, removeTag } = await import('../../repo/tags.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  const { reporter } = context;
  await context.withRepository(async (repository) => {
    const meant = parseTarget(repository, target);
    if (name === undefined) {
      const tags = listTags(repository, meant.dataset);
      reporter.result({ dataset: meant.dataset, tags }, () =>
        tags.length === 0 ? 'No tags yet.' : table(tags.map((tag) => [tag.name, short(tag.version)])),
      );
      return;
    }
    if (flags.delete === true) {
      removeTag(repository, meant.dataset, name);
      reporter.result({ dataset: meant.dataset, deleted: name }, () => `Removed tag ${name} of ${meant.dataset}.`);
      return;
    }
    const version = await resolveVersion(repository, meant);
    addTag(repository, name, version, flags.force === true);
    reporter.result(
      { dataset: meant.dataset, tag: name, version: version.hash },
      () => `${name} is ${meant.dataset}@${short(version.hash)}.`,
    );
  });
}
