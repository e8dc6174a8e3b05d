import type { Command } from 'commander';
import type { DeliveryReport } from '../../events/delivery-report.ts';
import type { CliContext } from '../context.ts';
import { parseCount } from '../options.ts';
import { oneLine, plural } from '../reporter.ts';
import { short, when } from '../words.ts';

/** Time between two looks of `deliver --watch`. */
const WATCH_MS = 2000;

export function registerEvents(program: Command, context: CliContext): void {
  const events = program.command('events').description('what happened to the data, and who has been told');
  events
    .command('list')
    .description('events and their deliveries, newest first')
    .option('-n, --limit <count>', 'at most so many', parseCount, 20)
    .action((flags: { limit: number }) => runList(context, flags.limit));
  events
    .command('deliver')
    .description('send what is pending')
    .option('--watch', 'go on until interrupted')
    .option('--from-remote [name]', 'what anybody has pushed and the sinks have not heard of; origin by default')
    .action((flags: DeliverFlags) => runDeliver(context, flags));
  events
    .command('retry')
    .description('send again: one event, or all that gave up')
    .argument('[event]', 'its id, or the beginning of it')
    .action((event: string | undefined) => runRetry(context, event));
  events
    .command('trust')
    .description('allow this machine to send to the sinks of uttr.json as they are now')
    .action(() => runTrust(context));
}

async function runList(context: CliContext, limit: number): Promise<void> {
  await context.withRepository(async (repository) => {
    const events = repository.outbox.list({ limit });
    const result = events.map(({ event, deliveries }) => ({
      id: event.id,
      type: event.type,
      dataset: event.dataset,
      version: event.version,
      previous: event.previous ?? null,
      time: event.time,
      deliveries: deliveries.map(({ sink, state, attempts, lastError, nextAtMs }) => ({
        sink,
        state,
        attempts,
        ...(lastError === undefined ? {} : { lastError }),
        nextAt: new Date(nextAtMs).toISOString(),
      })),
    }));
    context.reporter.result({ events: result }, () =>
      result.length === 0
        ? 'No events yet.'
        : result
            .map(({ id, type, dataset, version, time, deliveries }) =>
              [
                `${short(id)}  ${when(time)}  ${dataset}@${short(version)}  ${type}`,
                ...deliveries.map(
                  (one) =>
                    `    ${one.sink}: ${one.state}, ${plural(one.attempts, 'attempt')}${one.lastError === undefined ? '' : ` (${oneLine(one.lastError, 200)})`}`,
                ),
              ].join('\n'),
            )
            .join('\n'),
    );
  });
}

interface DeliverFlags {
  readonly watch?: boolean;
  readonly fromRemote?: boolean | string;
}

async function runDeliver(context: CliContext, { watch = false, fromRemote = false }: DeliverFlags): Promise<void> {
  const { deliverEvents, deliverySentences } = await import('../../repo/deliver.ts');
  const deliver =
    fromRemote === false ? deliverEvents : (await import('../../repo/deliver-remote.ts')).deliverFromRemote;
  const settings = {
    processId: process.pid,
    onOutput: (_: string, bytes: Uint8Array): void => context.reporter.pass(bytes),
    remote: typeof fromRemote === 'string' ? fromRemote : undefined,
  };
  await context.withRepository(async (repository) => {
    if (!watch) {
      const report = await deliver(repository, settings);
      reportDelivery(context, report, deliverySentences(repository, report));
      return;
    }
    do {
      const report = await deliver(repository, settings);
      if (report === undefined || report.delivered.length + report.failed.length === 0) continue;
      for (const sentence of deliverySentences(repository, report)) context.reporter.note(sentence);
    } while (await pause(context.signal));
  });
}

function reportDelivery(context: CliContext, report: DeliveryReport | undefined, sentences: readonly string[]): void {
  const { delivered = [], failed = [], left = [] } = report ?? {};
  const nothing = report === undefined ? 'No sinks are configured in uttr.json.' : 'Nothing is pending.';
  context.reporter.result({ delivered: delivered.length, failed: failed.length, left }, () =>
    sentences.length === 0 ? nothing : sentences.join('\n'),
  );
  if (failed.length > 0) context.exitCode = 6;
}

/** Waits; false when interrupted. */
function pause(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const timer = setTimeout(() => resolve(true), WATCH_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

async function runRetry(context: CliContext, event: string | undefined): Promise<void> {
  await context.withRepository(async (repository) => {
    const { UttrError } = await import('../../base/errors.ts');
    const retried = repository.outbox.retry(event === undefined ? 'all' : { event }, repository.clock.now().getTime());
    if (retried === 0 && event !== undefined) {
      throw new UttrError('bad-option', `no event to send again has an id that begins with ${event}`, {
        hint: 'see: uttr events list',
      });
    }
    context.reporter.result(
      { retried },
      () => `${plural(retried, 'delivery', 'deliveries')} due now. Send with: uttr events deliver`,
    );
  });
}

async function runTrust(context: CliContext): Promise<void> {
  const { trustSinks } = await import('../../repo/deliver.ts');
  await context.withRepository(async (repository) => {
    const sinks = trustSinks(repository);
    context.reporter.result({ trusted: sinks.map(({ name, type }) => ({ name, type })) }, () =>
      ['This machine sends events to:', ...sinks.map((sink) => `  ${sink.name}: ${oneLine(target(sink))}`)].join('\n'),
    );
  });
}

function target(sink: {
  readonly type: string;
  readonly url?: string;
  readonly path?: string;
  readonly command?: string | readonly string[];
}): string {
  const what =
    sink.url ?? sink.path ?? (typeof sink.command === 'string' ? sink.command : sink.command?.join(' ')) ?? '';
  return `${sink.type} ${what}`;
}
