/**
 * Events not yet sent, kept in the catalogue. Implements the port of src/events/outbox.ts, where E3 to E5 are
 * stated, without importing it: dependencies point down only.
 */
import { DELIVERY_ERROR_LIMIT, type DeliveryRow, type DeliveryState, type EventRow } from '../base/event-rows.ts';
import { type Db, translateSqliteError } from './database.ts';

interface ClaimRequest {
  readonly sink: string;
  readonly owner: string;
  readonly nowMs: number;
  readonly dueByMs: number;
  readonly leaseUntilMs: number;
  readonly horizonMs: number;
}

interface Claim {
  readonly event: EventRow;
  readonly sink: string;
  readonly owner: string;
  readonly attempts: number;
  readonly firstAtMs: number | undefined;
}

interface Failure {
  readonly error: string;
  readonly startedAtMs: number;
  readonly nextAtMs: number | undefined;
}

interface ListFilter {
  readonly state?: DeliveryState | undefined;
  readonly dataset?: string | undefined;
  readonly limit?: number | undefined;
}

type RetrySelection = { readonly event: string } | 'dead' | 'all';

/** The columns of `deliveries`, as SQLite gives them. */
interface DeliveryColumns {
  readonly event: string;
  readonly dataset: string;
  readonly version: string;
  readonly sink: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly next_at: number;
  readonly first_at: number | null;
  readonly claimed_by: string | null;
  readonly claimed_until: number | null;
  readonly last_error: string | null;
  readonly delivered_at: number | null;
}

type EventColumns = Omit<EventRow, 'previous'> & { readonly previous: string | null };

const DELIVERY = `SELECT d.event, e.dataset, e.version, d.sink, d.state, d.attempts, d.next_at, d.first_at, d.claimed_by,
  d.claimed_until, d.last_error, d.delivered_at FROM deliveries d JOIN events e ON e.id = d.event`;

/** The first pending delivery of each queue of one sink (E4). */
const CLAIMABLE = `
  WITH firsts AS (
    SELECT min(e.position) AS position FROM deliveries d JOIN events e ON e.id = d.event
    WHERE d.state = 'pending' AND d.sink = @sink GROUP BY e.dataset)
  SELECT e.id, e.type, e.dataset, e.version, e.previous, e.time, e.body, d.attempts, d.first_at AS firstAtMs
  FROM firsts JOIN events e ON e.position = firsts.position
    JOIN deliveries d ON d.event = e.id AND d.sink = @sink
  WHERE (d.next_at <= @dueByMs OR d.next_at > @horizonMs)
    AND (d.claimed_until IS NULL OR d.claimed_until <= @nowMs OR d.claimed_until > @horizonMs)
  ORDER BY e.position LIMIT 1`;

/**
 * Writes events and what is owed to each sink (E3). Call it inside the transaction of the change.
 *
 * An event that is there already stays as it is; a sink that was not owed it before is owed it now.
 */
export function appendEvents(db: Db, events: readonly EventRow[], sinkNames: readonly string[], nowMs: number): void {
  const insertEvent = db.prepare(
    `INSERT INTO events (id, type, dataset, version, previous, time, body)
     VALUES (@id, @type, @dataset, @version, @previous, @time, @body) ON CONFLICT (id) DO NOTHING`,
  );
  const insertDelivery = db.prepare(
    `INSERT INTO deliveries (event, sink, state, next_at) VALUES (?, ?, 'pending', ?) ON CONFLICT DO NOTHING`,
  );
  write(db, () => {
    for (const event of events) {
      insertEvent.run({ ...event, previous: event.previous ?? null });
      for (const sink of new Set(sinkNames)) insertDelivery.run(event.id, sink, nowMs);
    }
  });
}

/** The outbox of one catalogue. */
export class CatalogueOutbox {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  claim(request: ClaimRequest): Claim | undefined {
    return write(this.#db, () => {
      const { sink, owner, leaseUntilMs, ...when } = request;
      const row = this.#db.prepare(CLAIMABLE).get({ sink, ...when }) as
        | (EventColumns & { attempts: number; firstAtMs: number | null })
        | undefined;
      if (row === undefined) return undefined;
      this.#db
        .prepare('UPDATE deliveries SET claimed_by = ?, claimed_until = ? WHERE event = ? AND sink = ?')
        .run(owner, leaseUntilMs, row.id, sink);
      const { attempts, firstAtMs, ...event } = row;
      return { event: toEvent(event), sink, owner, attempts, firstAtMs: firstAtMs ?? undefined };
    });
  }

  extend(claim: Claim, leaseUntilMs: number): boolean {
    return this.#change(
      `UPDATE deliveries SET claimed_until = @leaseUntilMs
       WHERE event = @event AND sink = @sink AND state = 'pending' AND claimed_by = @owner`,
      { ...keyOf(claim), leaseUntilMs },
    );
  }

  release(claim: Claim, reason?: string): void {
    this.#change(
      `UPDATE deliveries SET claimed_by = NULL, claimed_until = NULL, last_error = coalesce(@reason, last_error)
       WHERE event = @event AND sink = @sink AND state = 'pending' AND claimed_by = @owner`,
      { ...keyOf(claim), reason: reason?.slice(0, DELIVERY_ERROR_LIMIT) ?? null },
    );
  }

  releaseGone(isGone: (owner: string) => boolean): void {
    write(this.#db, () => {
      const owners = this.#db
        .prepare(`SELECT DISTINCT claimed_by FROM deliveries WHERE state = 'pending' AND claimed_by IS NOT NULL`)
        .pluck()
        .all() as string[];
      const free = this.#db.prepare(
        `UPDATE deliveries SET claimed_by = NULL, claimed_until = NULL WHERE state = 'pending' AND claimed_by = ?`,
      );
      for (const owner of owners) {
        if (isGone(owner)) free.run(owner);
      }
    });
  }

  recordDelivered(claim: Claim, startedAtMs: number, atMs: number): void {
    // Without asking whose claim it is: the sink has the event, whoever else may be sending it.
    const { event, sink } = keyOf(claim);
    this.#change(
      `UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, delivered_at = @atMs,
         first_at = coalesce(first_at, @startedAtMs), claimed_by = NULL, claimed_until = NULL, last_error = NULL
       WHERE event = @event AND sink = @sink AND state <> 'delivered'`,
      { event, sink, startedAtMs, atMs },
    );
  }

  recordFailure(claim: Claim, failure: Failure): void {
    this.#change(
      `UPDATE deliveries SET state = @state, attempts = attempts + 1, next_at = coalesce(@nextAtMs, next_at),
         first_at = coalesce(first_at, @startedAtMs), claimed_by = NULL, claimed_until = NULL, last_error = @error
       WHERE event = @event AND sink = @sink AND state = 'pending' AND claimed_by = @owner`,
      {
        ...keyOf(claim),
        state: failure.nextAtMs === undefined ? 'dead' : 'pending',
        nextAtMs: failure.nextAtMs ?? null,
        startedAtMs: failure.startedAtMs,
        error: failure.error.slice(0, DELIVERY_ERROR_LIMIT),
      },
    );
  }

  isDelivered(event: string, sink: string): boolean {
    const rows = this.#read(`SELECT 1 FROM deliveries WHERE event = @event AND sink = @sink AND state = 'delivered'`, {
      event,
      sink,
    });
    return rows.length > 0;
  }

  disableSink(sink: string, reason: string, atMs: number): void {
    this.#change(
      `INSERT INTO disabled_sinks (sink, reason, at) VALUES (@sink, @reason, @atMs)
       ON CONFLICT (sink) DO UPDATE SET reason = excluded.reason, at = excluded.at`,
      { sink, reason: reason.slice(0, DELIVERY_ERROR_LIMIT), atMs },
    );
  }

  disabledSinks(): ReadonlyMap<string, string> {
    const rows = this.#read<{ sink: string; reason: string }>('SELECT sink, reason FROM disabled_sinks');
    return new Map(rows.map(({ sink, reason }) => [sink, reason]));
  }

  trust(fingerprints: readonly string[], atMs: number): void {
    write(this.#db, () => {
      const insert = this.#db.prepare('INSERT OR IGNORE INTO trusted_sinks (fingerprint, at) VALUES (?, ?)');
      for (const fingerprint of fingerprints) insert.run(fingerprint, atMs);
    });
  }

  isTrusted(fingerprint: string): boolean {
    return this.#read('SELECT 1 FROM trusted_sinks WHERE fingerprint = @fingerprint', { fingerprint }).length > 0;
  }

  pending(): readonly DeliveryRow[] {
    return this.#deliveries(`WHERE d.state = 'pending'`);
  }

  list(filter: ListFilter = {}): readonly { event: EventRow; deliveries: readonly DeliveryRow[] }[] {
    const { state, dataset, limit } = filter;
    // One transaction, so that events and deliveries are of the same moment.
    return this.#transaction(() => {
      const events = this.#read<EventColumns>(
        `SELECT id, type, dataset, version, previous, time, body FROM events e
         WHERE (@dataset IS NULL OR dataset = @dataset)
           AND (@state IS NULL OR EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.id AND d.state = @state))
         ORDER BY position DESC LIMIT @limit`,
        { state: state ?? null, dataset: dataset ?? null, limit: limit ?? -1 },
      );
      return events.map((event) => ({
        event: toEvent(event),
        deliveries: this.#deliveries('WHERE d.event = @event', { event: event.id }),
      }));
    });
  }

  retry(selection: RetrySelection, nowMs: number): number {
    const rows =
      typeof selection === 'object'
        ? `state <> 'delivered' AND event = @event`
        : `state ${selection === 'dead' ? '=' : 'IN'} ${selection === 'dead' ? `'dead'` : `('pending', 'dead')`}`;
    return write(this.#db, () => {
      const parameters = typeof selection === 'object' ? { event: this.#resolve(selection.event) } : {};
      // One that is served from a remote is owed nothing here.
      const sinks = selection === 'all' ? 'true' : `sink IN (SELECT sink FROM deliveries WHERE ${rows})`;
      this.#db.prepare(`DELETE FROM disabled_sinks WHERE ${sinks}`).run(parameters);
      // A claim stays: whoever sends it at this moment goes on.
      return this.#db
        .prepare(
          `UPDATE deliveries SET state = 'pending', next_at = @nowMs, attempts = 0, first_at = NULL WHERE ${rows}`,
        )
        .run({ ...parameters, nowMs }).changes;
    });
  }

  /** The id that begins with `prefix`, or `prefix` itself where none or several do. */
  #resolve(prefix: string): string {
    const ids = this.#read<{ id: string }>('SELECT id FROM events WHERE substr(id, 1, @length) = @prefix LIMIT 2', {
      prefix,
      length: prefix.length,
    });
    return ids.length === 1 && ids[0] !== undefined ? ids[0].id : prefix;
  }

  #deliveries(where: string, parameters: object = {}): readonly DeliveryRow[] {
    const rows = this.#read<DeliveryColumns>(`${DELIVERY} ${where} ORDER BY e.position, d.sink`, parameters);
    return rows.map((row) => ({
      event: row.event,
      dataset: row.dataset,
      version: row.version,
      sink: row.sink,
      state: row.state,
      attempts: row.attempts,
      nextAtMs: row.next_at,
      firstAtMs: row.first_at ?? undefined,
      claimedBy: row.claimed_by ?? undefined,
      claimedUntilMs: row.claimed_until ?? undefined,
      lastError: row.last_error ?? undefined,
      deliveredAtMs: row.delivered_at ?? undefined,
    }));
  }

  #read<Row>(sql: string, parameters: object = {}): Row[] {
    try {
      return this.#db.prepare(sql).all(parameters) as Row[];
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  #transaction<T>(work: () => T): T {
    try {
      return this.#db.transaction(work)();
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  /** @returns whether a row changed. */
  #change(sql: string, parameters: object): boolean {
    return write(this.#db, () => this.#db.prepare(sql).run(parameters).changes > 0);
  }
}

/** Runs a write transaction, or a savepoint inside the caller's. */
function write<T>(db: Db, work: () => T): T {
  try {
    return db.transaction(work).immediate();
  } catch (error) {
    throw translateSqliteError(error);
  }
}

function keyOf(claim: Claim): { event: string; sink: string; owner: string } {
  return { event: claim.event.id, sink: claim.sink, owner: claim.owner };
}

function toEvent(row: EventColumns): EventRow {
  return { ...row, previous: row.previous ?? undefined };
}
