/**
 * Delivery of events as commands do it: after a commit or push, and on demand.
 */
import { hostname } from 'node:os';
import { UttrError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { type SinkConfig, sinkFingerprint } from '../events/config.ts';
import { deliverPending } from '../events/deliver.ts';
import { type DeliveryReport, describeDelivery } from '../events/delivery-report.ts';
import { openSinks } from '../events/sinks/open-sinks.ts';
import type { Sink } from '../events/sinks/sink.ts';
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
  const sinks = configuredSinks(repository, settings.onOutput);
  if (sinks.length === 0) return undefined;
  return deliverPending({
    outbox: repository.outbox,
    sinks,
    clock: repository.clock,
    random: repository.random,
    trustAll: isTrustingAll(repository),
    timeBudgetMs: settings.timeBudgetMs,
    owner: ownerOf(repository, settings.processId),
    isGone: isGoneHere,
    signal: repository.signal,
    progress: repository.progress,
  });
}

/** The sinks of uttr.json. */
export function configuredSinks(
  { config, root, environment, clock }: Repository,
  onOutput: DeliverySettings['onOutput'],
): readonly Sink[] {
  const allowPrivate = (environment['UTTR_ALLOW_PRIVATE_SINKS'] ?? '').split(',').filter((name) => name !== '');
  return openSinks(config.events.sinks, { root, environment, clock, allowPrivate, onOutput });
}

/** Whether every sink is trusted, whatever the outbox says. */
export function isTrustingAll({ environment }: Repository): boolean {
  return environment['UTTR_TRUST_EVENTS'] === '1';
}

/** Names a process in claims and leases; those on a remote must not tell the machine's name. */
export function ownerOf({ random }: Repository, processId: number): string {
  return `${thisMachine()}:${processId}:${Buffer.from(random.bytes(6)).toString('hex')}`;
}

function thisMachine(): string {
  return sha256(hostname()).slice(0, 16);
}

/** Whether a process of this machine has ended. */
export function isGoneHere(owner: string): boolean {
  const [machine, processId] = owner.split(':');
  return machine === thisMachine() && processId !== undefined && !isProcessAlive(Number(processId));
}

/** What became of the deliveries, as sentences, and what to do about those that are left. */
export function deliverySentences(repository: Repository, report: DeliveryReport | undefined): readonly string[] {
  if (report === undefined) return [];
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
