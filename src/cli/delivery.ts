import { UttrError } from '../base/errors.ts';
import type { Repository } from '../repo/repository.ts';
import type { CliContext } from './context.ts';

/** Delivers what is pending after a command has done its work; a receiver that is down never fails the command. */
export async function deliverAfter(context: CliContext, repository: Repository): Promise<void> {
  if (repository.config.events.sinks.length === 0 || repository.outbox.pending().length === 0) return;
  const { AFTER_COMMAND_MS, deliverEvents, deliverySentences } = await import('../repo/deliver.ts');
  const report = await deliverEvents(repository, {
    timeBudgetMs: AFTER_COMMAND_MS,
    processId: process.pid,
    onOutput: (_, bytes) => context.reporter.pass(bytes),
  });
  for (const sentence of deliverySentences(repository, report)) context.reporter.note(sentence);
}

/** After a push: sinks that are served from the log of the remote hear of it, too. */
export async function deliverPushed(context: CliContext, repository: Repository, remote: string): Promise<void> {
  if (repository.config.events.sinks.length === 0) return;
  const { deliverySentences } = await import('../repo/deliver.ts');
  const { deliverFromRemote } = await import('../repo/deliver-remote.ts');
  const onOutput = (_: string, bytes: Uint8Array): void => context.reporter.pass(bytes);
  try {
    const report = await deliverFromRemote(repository, { remote, knownOnly: true, processId: process.pid, onOutput });
    for (const sentence of deliverySentences(repository, report)) context.reporter.note(sentence);
  } catch (error) {
    if (!(error instanceof UttrError) || error.code === 'aborted') throw error;
    // The push is done, and the log of the remote has it: the next deliverer will tell of it.
    context.reporter.note(`events are left for the next delivery: ${error.message}`);
  }
}
