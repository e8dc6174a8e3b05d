/**
 * Sends what is pending: claim, send, record; each step durable before the next.
 *
 * E6  At least once: a crash at any point leaves a delivery pending or delivered, never lost, and what is sent
 *     again has the same id and the same bytes.
 * E8  Nothing is sent to a sink that is disabled or that this machine does not trust.
 *
 * The order between queues (a queue is one sink and one dataset) is free: sinks are served side by side, so one
 * that hangs delays no other. Within a queue the outbox keeps the order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { crashPoint } from '../base/crash-points.ts';
import type { DeliveryRow } from '../base/event-rows.ts';
import { isUttrError, throwIfAborted } from '../base/errors.ts';
import type { Clock, Progress, Random } from '../base/ports.ts';
import { nextAttemptMs, RETRY_AFTER_LIMIT_MS } from './backoff.ts';
import { type DeliveryReport, firstOfQueues, ReportBuilder } from './delivery-report.ts';
import type { Claim, Outbox } from './outbox.ts';
import type { DeliveryOutcome, Sink } from './sinks/sink.ts';

/** How long a claim lasts without a sign of life; three signs are given in that time. */
const LEASE_MS = 60_000;

/** No honest lease or wait ends later than this; one that does was written under a wrong clock. */
const HORIZON_MS = RETRY_AFTER_LIMIT_MS + LEASE_MS;

export interface DeliverOptions {
  readonly outbox: Outbox;
  readonly sinks: readonly Sink[];
  readonly clock: Clock;
  readonly random: Random;
  /** Every sink is trusted (UTTR_TRUST_EVENTS=1), whatever the outbox says. */
  readonly trustAll?: boolean | undefined;
  /**
   * Waits for retries that fall due within this time, and begins no attempt after it. Without it, everything
   * that is due is tried once.
   */
  readonly timeBudgetMs?: number | undefined;
  /** Names this process, for `isGone` of another; random by default. */
  readonly owner?: string | undefined;
  /** Tells whether the process that held a claim has ended; its claims are then free before their lease ends. */
  readonly isGone?: ((owner: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
  /** Passes time between retries; tests move their clock here. */
  readonly wait?: ((delayMs: number, signal: AbortSignal | undefined) => Promise<unknown>) | undefined;
}

/**
 * Sends pending events to the sinks that are configured, trusted and not disabled.
 *
 * A failing sink is no error: what it got and what it is still owed is in the report.
 *
 * @throws aborted when the signal fires; what was being sent stays pending.
 */
export async function deliverPending(options: DeliverOptions): Promise<DeliveryReport> {
  const { outbox, sinks, isGone } = options;
  if (isGone !== undefined) outbox.releaseGone(isGone);
  const run = new Run(options);
  const usable = usableSinks(options, run.report);
  const ends = await Promise.allSettled(usable.map((sink) => run.drain(sink)));
  for (const end of ends) {
    if (end.status === 'rejected') throw end.reason;
  }
  return run.report.finish({
    pending: outbox.pending(),
    configured: sinks.map((sink) => sink.name),
    disabled: outbox.disabledSinks(),
    nowMs: options.clock.now().getTime(),
    horizonMs: run.horizonMs(),
  });
}

/** The sinks that this machine may send to and that take events (E8); `report` hears of those that are not trusted. */
export function usableSinks(
  {
    outbox,
    sinks,
    trustAll = false,
  }: Pick<DeliverOptions, 'sinks' | 'trustAll'> & {
    readonly outbox: Pick<Outbox, 'disabledSinks' | 'isTrusted'>;
  },
  report: ReportBuilder,
): readonly Sink[] {
  const disabled = outbox.disabledSinks();
  return sinks.filter((sink) => {
    if (trustAll || outbox.isTrusted(sink.fingerprint)) return !disabled.has(sink.name);
    report.untrusted(sink.name);
    return false;
  });
}

/** One call of deliverPending. */
class Run {
  readonly report = new ReportBuilder();
  readonly #options: DeliverOptions;
  readonly #owner: string;
  readonly #startMs: number;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#owner = options.owner ?? Buffer.from(options.random.bytes(12)).toString('hex');
    this.#startMs = this.#nowMs();
  }

  /** Serves one sink until nothing is due, the time is spent, or the sink cannot be used. */
  async drain(sink: Sink): Promise<void> {
    const { outbox, signal } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      if (this.#leftMs() <= 0) return;
      const claim = outbox.claim({
        sink: sink.name,
        owner: this.#owner,
        nowMs: this.#nowMs(),
        dueByMs: this.#dueByMs(),
        leaseUntilMs: this.#nowMs() + LEASE_MS,
        horizonMs: this.horizonMs(),
      });
      if (claim === undefined) {
        if (!(await this.#waitForRetry(sink))) return;
        continue;
      }
      crashPoint('delivery.claimed');
      const startedAtMs = this.#nowMs();
      const outcome = await this.#send(sink, claim);
      crashPoint('delivery.sent');
      const goOn = this.#record(sink, claim, outcome, startedAtMs);
      crashPoint('delivery.recorded');
      if (!goOn) return;
    }
  }

  horizonMs(): number {
    return this.#nowMs() + HORIZON_MS;
  }

  async #send(sink: Sink, claim: Claim): Promise<DeliveryOutcome> {
    const { outbox, signal } = this.#options;
    const signs = setInterval(() => {
      try {
        outbox.extend(claim, this.#nowMs() + LEASE_MS);
      } catch {
        // A busy catalogue: the lease outlasts two missed signs, and losing it costs at most a repeated event.
      }
    }, LEASE_MS / 3);
    try {
      return await sink.deliver(claim.event, { signal });
    } catch (error) {
      if (isUttrError(error, 'aborted')) {
        outbox.release(claim, 'interrupted');
        throw error;
      }
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      clearInterval(signs);
    }
  }

  /** @returns whether the sink is worth another event. */
  #record(sink: Sink, claim: Claim, outcome: DeliveryOutcome, startedAtMs: number): boolean {
    const { outbox, random, progress } = this.#options;
    const endedAtMs = this.#nowMs();
    switch (outcome.kind) {
      case 'delivered':
        outbox.recordDelivered(claim, startedAtMs, endedAtMs);
        this.report.delivered(claim);
        progress?.update('deliver', this.report.deliveredCount, undefined, 'events');
        return true;
      case 'failed': {
        const attempts = claim.attempts + 1;
        const nextAtMs = nextAttemptMs(
          {
            attempts,
            firstAtMs: claim.firstAtMs ?? startedAtMs,
            endedAtMs,
            retryAfterMs: outcome.retryAfterMs,
            retryForMs: sink.retryForMs,
          },
          random,
        );
        outbox.recordFailure(claim, { error: outcome.reason, startedAtMs, nextAtMs });
        this.report.failed(claim, { reason: outcome.reason, attempts, nextAtMs });
        return true;
      }
      case 'gone':
        outbox.disableSink(sink.name, outcome.reason, endedAtMs);
        outbox.release(claim, outcome.reason);
        return false;
      case 'unready':
        outbox.release(claim, outcome.reason);
        this.report.unready(sink.name, outcome);
        return false;
    }
  }

  /** @returns false when no retry falls due within the budget. */
  async #waitForRetry(sink: Sink): Promise<boolean> {
    const { outbox, signal, timeBudgetMs } = this.#options;
    if (timeBudgetMs === undefined) return false;
    const nowMs = this.#nowMs();
    const free = firstOfQueues(outbox.pending().filter((row) => row.sink === sink.name)).filter(
      (row) => !isClaimed(row, nowMs),
    );
    if (free.length === 0) return false;
    // At least 1 ms, or a queue that another process frees between two looks would spin.
    const delayMs = Math.max(1, Math.min(...free.map((row) => row.nextAtMs)) - nowMs);
    if (delayMs > this.#leftMs()) return false;
    try {
      await (this.#options.wait ?? waitFor)(delayMs, signal);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    }
    return true;
  }

  /** Without a budget each delivery gets one attempt: what fails is due after the start. */
  #dueByMs(): number {
    return this.#options.timeBudgetMs === undefined ? this.#startMs : this.#nowMs();
  }

  #leftMs(): number {
    const { timeBudgetMs } = this.#options;
    return timeBudgetMs === undefined ? Number.POSITIVE_INFINITY : this.#startMs + timeBudgetMs - this.#nowMs();
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}

function isClaimed(row: DeliveryRow, nowMs: number): boolean {
  return row.claimedUntilMs !== undefined && row.claimedUntilMs > nowMs && row.claimedUntilMs <= nowMs + HORIZON_MS;
}

function waitFor(delayMs: number, signal: AbortSignal | undefined): Promise<unknown> {
  return sleep(delayMs, undefined, signal === undefined ? {} : { signal });
}
