import type { Command } from 'commander';
import type { AddedRemote } from '../../repo/remotes.ts';
import type { CliContext } from '../context.ts';
import { table } from '../reporter.ts';

interface Flags {
  readonly endpoint?: string;
  readonly region?: string;
  readonly insecure?: boolean;
}

export function registerRemote(program: Command, context: CliContext): void {
  const remote = program.command('remote').description('shared stores: add, check, list, remove');
  remote
    .command('add')
    .description('add a store to uttr.json, after a look at what it can do')
    .argument('<name>', 'its name, e.g. origin')
    .argument('<url>', 's3://bucket/prefix, file:///folder or a path')
    .option('--endpoint <url>', 'the S3 server, where it is not AWS')
    .option('--region <name>', 'the region')
    .option('--insecure', 'allow an endpoint without TLS, on a network of your own')
    .action((name: string, url: string, flags: Flags) => runAdd(context, name, url, flags));
  remote
    .command('check')
    .description('find out again what a store can do, and keep the answer')
    .argument('[name]', 'its name; origin by default')
    .action((name: string | undefined) => runCheck(context, name));
  remote
    .command('list')
    .description('the stores of this project')
    .action(() => runList(context));
  remote
    .command('remove')
    .description('take a store out of uttr.json; its data stays')
    .argument('<name>', 'its name')
    .action((name: string) => runRemove(context, name));
}

async function runAdd(context: CliContext, name: string, url: string, flags: Flags): Promise<void> {
  const { addRemote } = await import('../../repo/remotes.ts');
  await context.withRepository(async (repository) => {
    const added = await addRemote(repository, name, {
      url: context.storeUrl(url),
      ...(flags.endpoint === undefined ? {} : { endpoint: flags.endpoint }),
      ...(flags.region === undefined ? {} : { region: flags.region }),
      ...(flags.insecure === true ? { insecure: true } : {}),
    });
    context.reporter.result(added, () => `Added ${added.name}: ${added.url}.`);
    warn(context, added);
  });
}

async function runCheck(context: CliContext, name: string | undefined): Promise<void> {
  const { checkRemote } = await import('../../repo/remotes.ts');
  await context.withRepository(async (repository) => {
    const checked = await checkRemote(repository, name);
    const isSound = checked.conditionalPut && checked.problems.length === 0;
    context.reporter.result({ ok: isSound, ...checked }, () =>
      isSound
        ? `${checked.name} does all that uttr needs: ${checked.url}.`
        : `${checked.name} can be used, with care: ${checked.url}.`,
    );
    warn(context, checked);
    if (!isSound) context.exitCode = 1;
  });
}

function warn({ reporter }: CliContext, { problems, conditionalPut }: AddedRemote): void {
  for (const problem of problems) reporter.warn(problem);
  if (!conditionalPut) {
    reporter.warn('this store cannot tell two writers apart: only one person or job may push to it at a time');
  }
}

async function runList(context: CliContext): Promise<void> {
  await context.withRepository(async (repository) => {
    const remotes = Object.entries(repository.config.remotes).map(([name, config]) => ({ name, ...config }));
    context.reporter.result({ remotes }, () =>
      remotes.length === 0
        ? 'No remote yet. Add one: uttr remote add origin <url>'
        : table(remotes.map(({ name, url, endpoint }) => [name, url, endpoint ?? ''])),
    );
  });
}

async function runRemove(context: CliContext, name: string): Promise<void> {
  const { removeRemote } = await import('../../repo/remotes.ts');
  await context.withRepository(async (repository) => {
    await removeRemote(repository, name);
    context.reporter.result({ removed: name }, () => `Removed ${name} from uttr.json; its data is untouched.`);
  });
}
