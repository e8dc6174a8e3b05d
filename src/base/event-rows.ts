/**
 * What the outbox keeps: the shapes that the events and the catalogue agree on. Neither imports the other.
 */

/** An event as it is stored and sent; `body` is the CloudEvents JSON, byte for byte what every sink gets. */
export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly dataset: string;
  readonly version: string;
  /** The version before; undefined for a dataset's first. */
  readonly previous: string | undefined;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly body: string;
}

/** Characters of what a sink said: as many as a list can show. */
export const DELIVERY_ERROR_LIMIT = 500;

export type DeliveryState = 'pending' | 'delivered' | 'dead';

/** What is owed to one sink for one event, and how it went so far. All times are milliseconds since 1970. */
export interface DeliveryRow {
  readonly event: string;
  readonly dataset: string;
  readonly version: string;
  readonly sink: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** No attempt before this moment. */
  readonly nextAtMs: number;
  /** When the first attempt began; undefined before it. */
  readonly firstAtMs: number | undefined;
  readonly claimedBy: string | undefined;
  readonly claimedUntilMs: number | undefined;
  readonly lastError: string | undefined;
  readonly deliveredAtMs: number | undefined;
}
