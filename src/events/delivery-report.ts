import type { DeliveryRow } from '../base/event-rows.ts';
import type { Claim } from './outbox.ts';

/** Why an event has not been sent. */
export type LeftReason =
  | 'not-configured'
  | 'not-trusted'
  | 'disabled'
  | 'not-ready'
  /** Another process is sending the queue's first event. */
  | 'claimed'
  /** The queue's first event failed, and its next attempt is not due yet. */
  | 'waiting'
  /** Due, but the time was spent. */
  | 'no-time';

export interface DeliveryKey {
  readonly event: string;
  readonly sink: string;
  readonly dataset: string;
  readonly version: string;
}

export interface FailedDelivery extends DeliveryKey {
  readonly reason: string;
  readonly attempts: number;
  /** undefined: the delivery is dead. */
  readonly nextAtMs: number | undefined;
}

/** What one sink is still owed for one reason. */
export interface LeftDeliveries {
  readonly sink: string;
  readonly reason: LeftReason;
  readonly count: number;
  /** What went wrong, where something did. */
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** The earliest next attempt, for `waiting`. */
  readonly nextAtMs: number | undefined;
}

/** What a call of deliverPending did, and what is left to do. */
export interface DeliveryReport {
  readonly delivered: readonly DeliveryKey[];
  /** The last failure of each delivery that was tried and did not succeed. */
  readonly failed: readonly FailedDelivery[];
  readonly left: readonly LeftDeliveries[];
}

interface Unready {
  readonly reason: string;
  readonly hint: string;
}

interface Final {
  readonly pending: readonly DeliveryRow[];
  readonly configured: readonly string[];
  readonly disabled: ReadonlyMap<string, string>;
  readonly nowMs: number;
  readonly horizonMs: number;
}

/** Collects what happens during a delivery. */
export class ReportBuilder {
  readonly #delivered: DeliveryKey[] = [];
  readonly #failed = new Map<string, FailedDelivery>();
  readonly #untrusted = new Set<string>();
  readonly #unready = new Map<string, Unready>();

  get deliveredCount(): number {
    return this.#delivered.length;
  }

  delivered(claim: Claim): void {
    const key = keyOf(claim);
    this.#delivered.push(key);
    this.#failed.delete(`${key.sink} ${key.event}`);
  }

  failed(claim: Claim, failure: Pick<FailedDelivery, 'reason' | 'attempts' | 'nextAtMs'>): void {
    const key = keyOf(claim);
    this.#failed.set(`${key.sink} ${key.event}`, { ...key, ...failure });
  }

  untrusted(sink: string): void {
    this.#untrusted.add(sink);
  }

  unready(sink: string, why: Unready): void {
    this.#unready.set(sink, { reason: why.reason, hint: why.hint });
  }

  finish(final: Final): DeliveryReport {
    const left: LeftDeliveries[] = [];
    for (const [sink, rows] of Map.groupBy(final.pending, (row) => row.sink)) {
      const known = this.#sinkState(sink, final);
      if (known === undefined) left.push(...queueStates(sink, rows, final));
      else left.push({ ...known, sink, count: rows.length, nextAtMs: undefined });
    }
    return { delivered: this.#delivered, failed: [...this.#failed.values()], left };
  }

  /** The reason that holds for everything a sink is owed; undefined when it lies with the single queues. */
  #sinkState(sink: string, final: Final): Pick<LeftDeliveries, 'reason' | 'detail' | 'hint'> | undefined {
    if (!final.configured.includes(sink)) {
      return {
        reason: 'not-configured',
        detail: `uttr.json has no sink "${sink}"`,
        hint: 'add it again, or leave its events where they are',
      };
    }
    if (this.#untrusted.has(sink)) {
      return {
        reason: 'not-trusted',
        detail: 'the sink is not trusted on this machine yet',
        hint: 'look at the sinks in uttr.json, then run: uttr events trust',
      };
    }
    const disabled = final.disabled.get(sink);
    if (disabled !== undefined) {
      return { reason: 'disabled', detail: disabled, hint: 'once the receiver is back, run: uttr events retry' };
    }
    const unready = this.#unready.get(sink);
    return unready && { reason: 'not-ready', detail: unready.reason, hint: unready.hint };
  }
}

function queueStates(sink: string, rows: readonly DeliveryRow[], final: Final): LeftDeliveries[] {
  const states = [...Map.groupBy(rows, (row) => row.dataset).values()].map((queue) => {
    const [first] = firstOfQueues(queue) as [DeliveryRow];
    return { first, count: queue.length, reason: queueState(first, final) };
  });
  return [...Map.groupBy(states, (state) => state.reason)].map(([reason, group]) => ({
    sink,
    reason,
    count: group.reduce((sum, { count }) => sum + count, 0),
    detail: group.find(({ first }) => first.lastError !== undefined)?.first.lastError,
    hint: reason === 'waiting' ? 'they are kept; to try at once, run: uttr events retry' : undefined,
    nextAtMs: reason === 'waiting' ? Math.min(...group.map(({ first }) => first.nextAtMs)) : undefined,
  }));
}

function queueState(first: DeliveryRow, { nowMs, horizonMs }: Final): LeftReason {
  const { claimedUntilMs, nextAtMs } = first;
  if (claimedUntilMs !== undefined && claimedUntilMs > nowMs && claimedUntilMs <= horizonMs) return 'claimed';
  return nextAtMs > nowMs && nextAtMs <= horizonMs ? 'waiting' : 'no-time';
}

/** The first pending delivery of each sink and dataset; `rows` are in the order of the events. */
export function firstOfQueues(rows: readonly DeliveryRow[]): readonly DeliveryRow[] {
  const firsts = new Map<string, DeliveryRow>();
  for (const row of rows) {
    const queue = JSON.stringify([row.sink, row.dataset]);
    if (!firsts.has(queue)) firsts.set(queue, row);
  }
  return [...firsts.values()];
}

/** A report in sentences, one a line, for people; the hints are those of `left`. */
export function describeDelivery(report: DeliveryReport, nowMs: number): readonly string[] {
  const lines: string[] = [];
  for (const [sink, sent] of Map.groupBy(report.delivered, (key) => key.sink)) {
    lines.push(`${eventCount(sent.length)} delivered to ${sink}.`);
  }
  for (const { sink, event, attempts, reason } of report.failed.filter((failure) => failure.nextAtMs === undefined)) {
    lines.push(`Event ${event} for ${sink} is given up after ${attempts} attempts: ${reason}.`);
  }
  for (const { sink, reason, count, detail, nextAtMs } of report.left) {
    const subject = `${eventCount(count)} for ${sink} ${count === 1 ? 'is' : 'are'} kept`;
    const why = reason === 'claimed' ? 'another process is delivering' : (detail ?? 'not sent yet');
    const when = nextAtMs === undefined ? '' : `; next attempt in ${secondsUntil(nextAtMs, nowMs)} s`;
    lines.push(`${subject}: ${why}${when}.`);
  }
  return lines;
}

function eventCount(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}

function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}

function keyOf({ event, sink }: Claim): DeliveryKey {
  return { event: event.id, sink, dataset: event.dataset, version: event.version };
}
