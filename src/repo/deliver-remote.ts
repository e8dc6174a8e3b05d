/**
 * Delivery of what the log of a remote's heads has, whoever pushed it: each sink has a cursor for each branch there.
 *
 * E14 A sink with a cursor on a remote is told of the moves of a head in their order, and by one machine at a time:
 *     the cursor is leased before anything is sent, and moves on after that. Only where a lease ran out, as after a
 *     crash, can an event be sent twice.
 */
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, throwIfAborted } from '../base/errors.ts';
import { DELIVERY_ERROR_LIMIT, type DeliveryRow, type EventRow } from '../base/event-rows.ts';
import { nextAttemptMs } from '../events/backoff.ts';
import { usableSinks } from '../events/deliver.ts';
import { type DeliveryReport, ReportBuilder } from '../events/delivery-report.ts';
import type { Claim } from '../events/outbox.ts';
import type { Sink } from '../events/sinks/sink.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { append, changeEvent } from './change-event.ts';
import { changeTotals } from './change-totals.ts';
import { configuredSinks, type DeliverySettings, isGoneHere, isTrustingAll, ownerOf } from './deliver.ts';
import { HeldCursor, LEASE_MS } from './held-cursor.ts';
import { type Cursor, type CursorKey, readCursor, type TaggedCursor } from './remote-cursors.ts';
import { readDatasets, readHead, readLog, type RemoteHead } from './remote-heads.ts';
import { openRemote, type OpenRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { loadVersion } from './versions.ts';

export interface RemoteDeliverySettings extends Pick<DeliverySettings, 'processId' | 'onOutput'> {
  /** The remote's name; the default one where it is undefined. */
  readonly remote?: string | undefined;
  /** Only the sinks that have a cursor already: the others are served from the outbox of whoever pushes. */
  readonly knownOnly?: boolean;
}

/**
 * Tells each configured sink of the moves that it has not been told of; each sink is tried once. One without a
 * cursor begins with the newest move.
 *
 * @returns undefined where no sink is configured
 * @throws unknown-remote, remote-unreachable, wrong-answer, aborted
 */
export async function deliverFromRemote(
  repository: Repository,
  settings: RemoteDeliverySettings,
): Promise<DeliveryReport | undefined> {
  const sinks = configuredSinks(repository, settings.onOutput);
  if (sinks.length === 0) return undefined;
  const remote = await openRemote(repository, requireRemote(repository, settings.remote), 'write');
  await repository.lazy.use(remote);
  const run = new Run(repository, remote, sinks, settings);
  for (const head of await announcedHeads(repository, remote.store)) {
    // A sink that hangs delays no other.
    const ends = await Promise.allSettled(sinks.map((sink) => run.tell(sink, head)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
  return run.finish();
}

async function announcedHeads({ config, signal }: Repository, store: BlobStore): Promise<RemoteHead[]> {
  const heads: RemoteHead[] = [];
  for (const dataset of (await readDatasets(store, { signal })).sort()) {
    for (const branch of config.events.branches) {
      const there = await readHead(store, dataset, branch, { signal });
      if (there !== undefined) heads.push(there.head);
    }
  }
  return heads;
}

/** One call of deliverFromRemote. */
class Run {
  readonly #repository: Repository;
  readonly #remote: OpenRemote;
  readonly #sinks: readonly Sink[];
  /** Those that may be sent to. */
  readonly #usable: Set<Sink>;
  readonly #knownOnly: boolean;
  readonly #owner: string;
  readonly #report = new ReportBuilder();
  /** What is left, as the outbox would list it. */
  readonly #left: DeliveryRow[] = [];
  readonly #events = new Map<string, Promise<EventRow>>();

  constructor(
    repository: Repository,
    remote: OpenRemote,
    sinks: readonly Sink[],
    { processId, knownOnly = false }: RemoteDeliverySettings,
  ) {
    const { outbox } = repository;
    this.#repository = repository;
    this.#remote = remote;
    this.#sinks = sinks;
    this.#usable = new Set(usableSinks({ outbox, sinks, trustAll: isTrustingAll(repository) }, this.#report));
    this.#knownOnly = knownOnly;
    this.#owner = ownerOf(repository, processId);
  }

  /** Tells one sink of the moves of one head. */
  async tell(sink: Sink, head: RemoteHead): Promise<void> {
    const { signal } = this.#repository;
    const key = { sink: sink.name, dataset: head.dataset, branch: head.branch };
    const found = await readCursor(this.#remote.store, key, { signal });
    if (found === undefined && this.#knownOnly) return;
    const start: TaggedCursor = found ?? {
      cursor: { sequence: head.sequence - 1, lease: null, retry: null },
      tag: undefined,
    };
    if (start.cursor.sequence >= head.sequence) return;
    if (!this.#usable.has(sink)) {
      // Whoever serves it from the remote will be there.
      if (!this.#knownOnly) this.#leave(sink, head, start.cursor);
      return;
    }
    const { retry } = start.cursor;
    const mustWait = this.#isLeased(start.cursor) || (retry !== null && Date.parse(retry.next) > this.#nowMs());
    const cursor = mustWait ? start.cursor : await this.#goOn(sink, head, key, start);
    if (cursor.sequence < head.sequence) this.#leave(sink, head, cursor);
  }

  finish(): DeliveryReport {
    const { outbox } = this.#repository;
    const report = this.#report.finish({
      pending: this.#left,
      configured: this.#sinks.map((sink) => sink.name),
      disabled: outbox.disabledSinks(),
      nowMs: this.#nowMs(),
      horizonMs: Infinity,
    });
    // Nothing of it is in the outbox, which `events retry` is about.
    return {
      ...report,
      left: report.left.map((one) => (one.reason === 'waiting' ? { ...one, hint: undefined } : one)),
    };
  }

  #isLeased({ lease }: Cursor): boolean {
    if (lease === null || isGoneHere(lease.owner)) return false;
    const leftMs = Date.parse(lease.until) - this.#nowMs();
    // No honest lease ends later; one that does was written under a wrong clock.
    return leftMs > 0 && leftMs <= 2 * LEASE_MS;
  }

  /** Tells the sink until it has heard of all or fails. @returns where the cursor is then */
  async #goOn(sink: Sink, head: RemoteHead, key: CursorKey, start: TaggedCursor): Promise<Cursor> {
    const { random, clock, signal } = this.#repository;
    const held = new HeldCursor(this.#remote.store, key, start, { owner: this.#owner, random, clock, signal });
    try {
      await held.lease();
      crashPoint('delivery.claimed');
      while (held.cursor.sequence < head.sequence && (await this.#next(sink, head, held)));
    } catch (error) {
      if (!isUttrError(error, 'head-moved')) throw error;
      // Another machine was first, or went on where our lease had run out.
      const there = await readCursor(this.#remote.store, key, { signal });
      return there?.cursor ?? held.cursor;
    } finally {
      await held.release();
    }
    return held.cursor;
  }

  /** Tells the sink of the next move. @returns whether to go on with the one after it */
  async #next(sink: Sink, head: RemoteHead, held: HeldCursor): Promise<boolean> {
    const { outbox, signal, clock } = this.#repository;
    throwIfAborted(signal);
    const sequence = held.cursor.sequence + 1;
    const event = await this.#eventOf(head, sequence);
    // A number may be left out where a head was put back.
    if (event === undefined || outbox.isDelivered(event.id, sink.name)) {
      await held.move({ sequence, retry: null });
      return true;
    }
    const { retry } = held.cursor;
    const startedAtMs = this.#nowMs();
    const claim: Claim = {
      event,
      sink: sink.name,
      owner: this.#owner,
      attempts: retry?.attempts ?? 0,
      firstAtMs: undefined,
    };
    const outcome = await held.whileAlive(() => sink.deliver(event, { signal }));
    crashPoint('delivery.sent');
    switch (outcome.kind) {
      case 'delivered':
        this.#record(claim, startedAtMs);
        crashPoint('delivery.recorded');
        await held.move({ sequence, retry: null });
        return true;
      case 'failed': {
        const attempts = claim.attempts + 1;
        const first = retry?.first ?? new Date(startedAtMs).toISOString();
        const nextAtMs = nextAttemptMs(
          {
            attempts,
            firstAtMs: Date.parse(first),
            endedAtMs: clock.now().getTime(),
            retryAfterMs: outcome.retryAfterMs,
            retryForMs: sink.retryForMs,
          },
          this.#repository.random,
        );
        this.#report.failed(claim, { reason: outcome.reason, attempts, nextAtMs });
        if (nextAtMs === undefined) {
          await held.move({ sequence, retry: null });
          return true;
        }
        const error = outcome.reason.slice(0, DELIVERY_ERROR_LIMIT);
        await held.move({ retry: { attempts, error, first, next: new Date(nextAtMs).toISOString() } });
        return false;
      }
      case 'gone':
        outbox.disableSink(sink.name, outcome.reason, this.#nowMs());
        this.#usable.delete(sink);
        return false;
      case 'unready':
        this.#report.unready(sink.name, outcome);
        return false;
    }
  }

  /** The event of a move; undefined where the log has none of this number. */
  async #eventOf(head: RemoteHead, sequence: number): Promise<EventRow | undefined> {
    const repository = this.#repository;
    const { name, url, store } = this.#remote;
    const { dataset, branch } = head;
    const move =
      sequence === head.sequence
        ? head
        : await readLog(store, dataset, branch, sequence, { signal: repository.signal });
    if (move === undefined) return undefined;
    // Several sinks are told of the same.
    let event = this.#events.get(move.txid);
    if (event === undefined) {
      event = (async () => {
        const version = await loadVersion(repository, move.version);
        const previous = move.previous === null ? undefined : await loadVersion(repository, move.previous);
        const totals = await changeTotals(repository, previous, version);
        const announcement = { version, previous, totals, branch, remote: { name, url }, gitCommit: undefined };
        return changeEvent(repository, announcement);
      })();
      this.#events.set(move.txid, event);
    }
    return event;
  }

  /** So that this machine lists it, and does not send it again from its outbox. */
  #record(claim: Claim, startedAtMs: number): void {
    const { catalogue, outbox } = this.#repository;
    catalogue.transaction(() => {
      append(this.#repository, claim.event, [claim.sink]);
      outbox.recordDelivered(claim, startedAtMs, this.#nowMs());
    });
    this.#report.delivered(claim);
  }

  #leave(sink: Sink, head: RemoteHead, { sequence, lease, retry }: Cursor): void {
    const row = {
      dataset: head.dataset,
      version: head.version,
      sink: sink.name,
      state: 'pending',
      attempts: retry?.attempts ?? 0,
      nextAtMs: retry === null ? 0 : Date.parse(retry.next),
      firstAtMs: undefined,
      claimedBy: lease?.owner,
      claimedUntilMs: lease === null ? undefined : Date.parse(lease.until),
      lastError: retry?.error,
      deliveredAtMs: undefined,
    } as const;
    for (let move = sequence + 1; move <= head.sequence; move++) this.#left.push({ ...row, event: String(move) });
  }

  #nowMs(): number {
    return this.#repository.clock.now().getTime();
  }
}
