/**
 * Delivery of events as commands do it: after a commit or push, and on demand.
 */
import { hostname } from 'node:os';
import { UttrError } from '../base/errors.ts';
import { type SinkConfig, sinkFingerprint } from '../events/config.ts';
import { deliverPending } from '../events/deliver.ts';
import { type DeliveryReport, describeDelivery } from '../events/delivery-report.ts';
import { openSinks } from '../events/sinks/open-sinks.ts';
import { isProcessAlive } from '../store/durable-file.ts';
import type { Repository } from './repository.ts';

/** How long a commit or push waits for receivers; what is not delivered by then stays pending. */
export const AFTER_COMMAND_MS = 5000;

export interface DeliverySettings {
  /** Waits for retries within this time; undefined: one attempt at everything due. */
  readonly timeBudgetMs?: number | undefined;
  readonly processId: number;
  /** Output of command sinks. */
  readonly onOutput?: ((sink: string, bytes: Uint8Array) => void) | undefined;
}

/** Sends what is pending; undefined where no sink is configured. */
export async function deliverEvents(
  repository: Repository,
  settings: DeliverySettings,
): Promise<DeliveryReport | undefined> {
  const { sinks } = repository.config.events;
  if (sinks.length === 0) return undefined;
  const host = hostname();
  const nonce = Buffer.from(repository.random.bytes(6)).toString('hex');
  return deliverPending({
    outbox: repository.outbox,
    sinks: openSinks(sinks, {
      root: repository.root,
      environment: repository.environment,
      clock: repository.clock,
      allowPrivate: (repository.environment['UTTR_ALLOW_PRIVATE_SINKS'] ?? '').split(',').filter((name) => name !== ''),
      onOutput: settings.onOutput,
    }),
    clock: repository.clock,
    random: repository.random,
    trustAll: repository.environment['UTTR_TRUST_EVENTS'] === '1',
    timeBudgetMs: settings.timeBudgetMs,
    owner: `${host}:${settings.processId}:${nonce}`,
    isGone: (owner) => isGone(owner, host),
    signal: repository.signal,
    progress: repository.progress,
  });
}

function isGone(owner: string, host: string): boolean {
  const [itsHost, processId] = owner.split(':');
  return itsHost === host && processId !== undefined && !isProcessAlive(Number(processId));
}

/** What became of the deliveries, as sentences, and what to do about those that are left. */
export function deliverySentences(repository: Repository, report: DeliveryReport): readonly string[] {
  const hints = new Set(report.left.flatMap(({ hint }) => (hint === undefined ? [] : [`hint: ${hint}`])));
  return [...describeDelivery(report, repository.clock.now().getTime()), ...hints];
}

/** Allows this machine to send to the sinks of uttr.json as they are now. @returns the sinks, for the person to see */
export function trustSinks(repository: Repository): readonly SinkConfig[] {
  const { sinks } = repository.config.events;
  if (sinks.length === 0) {
    throw new UttrError('bad-config', 'uttr.json configures no sinks', { hint: 'see "Events" in the documentation' });
  }
  repository.outbox.trust(sinks.map(sinkFingerprint), repository.clock.now().getTime());
  return sinks;
}
