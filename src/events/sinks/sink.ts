import type { EventRow } from '../../base/event-rows.ts';

/** How one attempt ended. A reason is a fragment fit for "… failed: <reason>", without secrets. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** Worth another try, not before `retryAfterMs` where the receiver asked for it. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  /** The receiver wants no more events, ever. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** Nothing was tried: the sink cannot be used from this machine as it is set up. Counts as no attempt. */
  | { readonly kind: 'unready'; readonly reason: string; readonly hint: string };

/**
 * A receiver of events. Contract: test/contract/sink.ts.
 *
 * `deliver` is at least once: it says `delivered` only when the receiver has the event durably or has
 * acknowledged it. It throws only `aborted`, when the signal fired.
 */
export interface Sink {
  readonly name: string;
  /** Names what the user trusted: see sinkFingerprint. */
  readonly fingerprint: string;
  /** After this time without success a delivery is dead. */
  readonly retryForMs: number;
  deliver(event: EventRow, options?: { readonly signal?: AbortSignal | undefined }): Promise<DeliveryOutcome>;
}
