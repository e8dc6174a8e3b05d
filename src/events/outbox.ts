/**
 * The outbox as the deliverer sees it. The catalogue implements it without knowing this file.
 *
 * E3  Events and what is owed to each sink are written in the transaction of the change that causes them; an
 *     event that is appended again changes nothing.
 * E4  Within one sink and dataset, events are claimed in the order they were written: a pending one holds back
 *     the later ones of its queue, and no other queue.
 * E5  A delivery is claimed by one deliverer at a time. A claim ends by its outcome, by its lease running out,
 *     or when the process that held it is known to be gone.
 */
import type { DeliveryRow, EventRow } from '../base/event-rows.ts';

export interface ClaimRequest {
  readonly sink: string;
  /** Names the claiming process. */
  readonly owner: string;
  readonly nowMs: number;
  /** Deliveries whose next attempt is due by this moment. */
  readonly dueByMs: number;
  readonly leaseUntilMs: number;
  /** Moments later than this are the work of a clock that was wrong, and count as past. */
  readonly horizonMs: number;
}

export interface Claim {
  readonly event: EventRow;
  readonly sink: string;
  readonly owner: string;
  /** Attempts that ended before this one. */
  readonly attempts: number;
  readonly firstAtMs: number | undefined;
}

export interface Failure {
  readonly error: string;
  readonly startedAtMs: number;
  /** When to try again; undefined: never, the delivery is dead. */
  readonly nextAtMs: number | undefined;
}

/** An event with what is owed for it, for lists. */
export interface ListedEvent {
  readonly event: EventRow;
  readonly deliveries: readonly DeliveryRow[];
}

export interface ListFilter {
  /** Only events with a delivery in this state. */
  readonly state?: DeliveryRow['state'] | undefined;
  readonly dataset?: string | undefined;
  /** The newest so many; all by default. */
  readonly limit?: number | undefined;
}

/** What is to be sent again: one event (its id, or a beginning of it that fits no other), the dead ones, or all. */
export type RetrySelection = { readonly event: string } | 'dead' | 'all';

/** Events not yet sent. Every method is one short transaction. */
export interface Outbox {
  /** Claims the first delivery of a queue that is due (E4, E5); undefined when there is none. */
  claim(request: ClaimRequest): Claim | undefined;
  /** Moves the end of the lease. @returns false when the claim was lost. */
  extend(claim: Claim, leaseUntilMs: number): boolean;
  /** Gives a claim back as if it had not been taken; a reason is kept for lists. */
  release(claim: Claim, reason?: string): void;
  /** Ends every claim whose owner is gone. */
  releaseGone(isGone: (owner: string) => boolean): void;
  recordDelivered(claim: Claim, startedAtMs: number, atMs: number): void;
  /** Ignored when the claim was lost: whoever holds it now decides. */
  recordFailure(claim: Claim, failure: Failure): void;
  /** Nothing is sent to the sink until something is to be sent again. */
  disableSink(sink: string, reason: string, atMs: number): void;
  /** Sink name to the reason it gave. */
  disabledSinks(): ReadonlyMap<string, string>;
  trust(fingerprints: readonly string[], atMs: number): void;
  isTrusted(fingerprint: string): boolean;
  /** What is pending, in the order of the events. */
  pending(): readonly DeliveryRow[];
  /** Newest first. */
  list(filter?: ListFilter): readonly ListedEvent[];
  /** Makes deliveries due at once, with a fresh 24 hours, and enables their sinks. @returns how many. */
  retry(selection: RetrySelection, nowMs: number): number;
}
