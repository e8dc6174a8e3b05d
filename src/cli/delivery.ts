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
  if (report !== undefined)
    for (const sentence of deliverySentences(repository, report)) context.reporter.note(sentence);
}
