/**
 * The webhook sink: CloudEvents over HTTP, structured, signed as Standard Webhooks. Rules: E11 in
 * webhook-target.ts, E12 in webhook-signature.ts.
 *
 * The libraries are loaded with the first delivery: a command that delivers nothing does not pay for them.
 */
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { EventRow } from '../../base/event-rows.ts';
import { isUttrError, throwIfAborted } from '../../base/errors.ts';
import type { Clock } from '../../base/ports.ts';
import type { DeliveryOutcome, Sink } from './sink.ts';
import { signWebhook } from './webhook-signature.ts';
import { checkTarget, type Resolve } from './webhook-target.ts';

const TIMEOUT_MS = 10_000;

/** So much of an answer is read, and thrown away; then the connection is closed. */
const ANSWER_LIMIT_BYTES = 65_536;

export interface WebhookSinkOptions {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  readonly url: string;
  readonly secretEnv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** A setting of this machine, never of a tracked file. */
  readonly allowPrivate?: boolean | undefined;
  readonly resolve?: Resolve | undefined;
  readonly timeoutMs?: number | undefined;
}

type Request = { readonly headers: Record<string, string>; readonly body: string };

/** Posts each event to a URL. */
export class WebhookSink implements Sink {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  readonly #options: WebhookSinkOptions;

  constructor(options: WebhookSinkOptions) {
    this.name = options.name;
    this.fingerprint = options.fingerprint;
    this.retryForMs = options.retryForMs;
    this.#options = options;
  }

  async deliver(
    event: EventRow,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DeliveryOutcome> {
    const { signal } = options;
    throwIfAborted(signal);
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const request = await this.#request(event);
      if ('kind' in request) return request;
      return await this.#post(request, signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
    } catch (error) {
      throwIfAborted(signal);
      if (deadline.aborted) return { kind: 'failed', reason: `no answer within ${timeoutMs / 1000} s` };
      if (isUttrError(error, 'bad-config')) return unready(error.message, error.hint ?? 'check the secret');
      return { kind: 'failed', reason: networkReason(error) };
    }
  }

  async #request(event: EventRow): Promise<Request | DeliveryOutcome> {
    const { secretEnv, environment, clock } = this.#options;
    const secrets = secretEnv.map((name) => environment[name]).filter((value) => value !== undefined && value !== '');
    if (secretEnv.length > 0 && secrets.length === 0) {
      const names = secretEnv.join(' and ');
      return unready(
        `${names} ${secretEnv.length === 1 ? 'is' : 'are'} not set`,
        `set ${names} to the webhook's secret`,
      );
    }
    const { CloudEvent, HTTP } = await import('cloudevents');
    // The SDK validates the event and names the content type; what is sent is the stored body, byte for byte, so
    // that a repeated event is the same to the last bit.
    const { headers } = HTTP.structured(new CloudEvent(JSON.parse(event.body)));
    const time = clock.now();
    const signed: Record<string, string> = {
      'content-type': String(headers['content-type']),
      'user-agent': 'uttr',
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    };
    if (secrets.length > 0) {
      signed['webhook-signature'] = await signWebhook(secrets as string[], event.id, time, event.body);
    }
    return { headers: signed, body: event.body };
  }

  async #post(request: Request, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { url, allowPrivate, resolve } = this.#options;
    const target = await within(signal, checkTarget(url, allowPrivate === true, resolve ?? systemResolve));
    if (target.kind === 'refused') {
      return unready(target.reason, 'use a public https address; private ones must be allowed on this machine');
    }
    const { Agent, request: send } = await import('undici');
    const agent = new Agent({ connect: { lookup: pinned(target.addresses) } });
    try {
      const answer = await send(target.url, { ...request, method: 'POST', dispatcher: agent, signal });
      // The status decides; a body that stalls or breaks after it changes nothing.
      await answer.body.dump({ limit: ANSWER_LIMIT_BYTES, signal }).catch(() => undefined);
      return this.#judge(answer.statusCode, answer.headers['retry-after']);
    } finally {
      // Not a graceful end: a receiver that goes on sending must not hold the delivery.
      await agent.destroy();
    }
  }

  #judge(status: number, retryAfter: string | string[] | undefined): DeliveryOutcome {
    if (status >= 200 && status < 300) return { kind: 'delivered' };
    if (status === 410) return { kind: 'gone', reason: 'the receiver answered 410: it wants no more events' };
    if (status >= 300 && status < 400) {
      return { kind: 'failed', reason: `the receiver answered ${status}, and redirects are not followed` };
    }
    const reason = `the receiver answered ${status}`;
    const waitMs = status === 429 || status === 503 ? parseRetryAfter(retryAfter, this.#options.clock) : undefined;
    return waitMs === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, retryAfterMs: waitMs };
  }
}

/** Retry-After in milliseconds from now: seconds or an HTTP date; undefined when it is neither. */
export function parseRetryAfter(value: string | readonly string[] | undefined, clock: Clock): number | undefined {
  const text = (typeof value === 'string' ? value : value?.[0])?.trim() ?? '';
  if (/^\d{1,10}$/u.test(text)) return Number(text) * 1000;
  const atMs = /^[A-Z][a-z]{2}, /u.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - clock.now().getTime());
}

/** A lookup that knows only the checked addresses, whatever name it is asked for. */
function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, done) => {
    const [first] = addresses;
    if (options.all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

async function systemResolve(hostname: string): Promise<readonly LookupAddress[]> {
  const { lookup } = await import('node:dns/promises');
  return lookup(hostname, { all: true });
}

/** The promise's value, unless the signal fires first: a name server may take its time. */
function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** What went wrong on the way, by its system code where there is one: codes are short and hold no secrets. */
function networkReason(error: unknown): string {
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: readonly unknown[] };
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was cut',
    UND_ERR_SOCKET: 'the connection was cut',
    UND_ERR_CONNECT_TIMEOUT: 'connecting took too long',
    ENOTFOUND: 'the host name is unknown',
    EAI_AGAIN: 'the host name could not be resolved',
  };
  const name = typeof code === 'string' ? code : ((errors?.[0] as { code?: string } | undefined)?.code ?? '');
  return known[name] ?? (name === '' ? String(message) : `the request failed (${name})`);
}

function unready(reason: string, hint: string): DeliveryOutcome {
  return { kind: 'unready', reason, hint };
}
