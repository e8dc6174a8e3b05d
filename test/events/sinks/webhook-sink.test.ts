/**
 * The webhook sink against a real HTTP server: what it sends, how it reads answers, and that it goes nowhere else.
 *
 * Signatures (E12) are checked twice: by the Standard Webhooks library, as a receiver would, and by crypto-js, an
 * implementation of HMAC that shares no code with ours.
 */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { HTTP } from 'cloudevents';
import CryptoJS from 'crypto-js';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../src/base/ports.ts';
import { parseRetryAfter, WebhookSink, type WebhookSinkOptions } from '../../../src/events/sinks/webhook-sink.ts';
import { describeSink } from '../../contract/sink.ts';
import { event, ManualClock, START } from '../doubles.ts';
import { type ReceivedRequest, startReceiver } from '../receiver.ts';

const SECRET = `whsec_${Buffer.from('a key of exactly 32 bytes, really').toString('base64')}`;
const systemClock: Clock = { now: () => new Date() };

function openSink(overrides: Partial<WebhookSinkOptions> & { url: string }): WebhookSink {
  return new WebhookSink({
    name: 'hook',
    fingerprint: 'f',
    retryForMs: 1,
    secretEnv: [],
    environment: { HOOK: SECRET },
    clock: systemClock,
    ...overrides,
  });
}

describeSink('webhook', async () => {
  const receiver = await startReceiver();
  let failures = 0;
  return {
    sink: openSink({ url: receiver.url, secretEnv: ['HOOK'] }),
    received: async () => receiver.requests.slice(failures).map((request) => request.body),
    behave: async (behaviour) => {
      receiver.answer((response) => {
        if (behaviour === 'takes') response.writeHead(200).end('ok');
        if (behaviour === 'fails') response.writeHead(500).end(`broken ${++failures}`);
      });
    },
  };
});

function signatureByCryptoJs(request: ReceivedRequest, key: string): string {
  const signed = `${String(request.headers['webhook-id'])}.${String(request.headers['webhook-timestamp'])}.${request.body}`;
  const mac = CryptoJS.HmacSHA256(signed, CryptoJS.enc.Base64.parse(key));
  return `v1,${CryptoJS.enc.Base64.stringify(mac)}`;
}

async function deliverOne(overrides: Partial<WebhookSinkOptions> = {}): Promise<ReceivedRequest> {
  const receiver = await startReceiver();
  expect(await openSink({ url: receiver.url, ...overrides }).deliver(event(1))).toEqual({ kind: 'delivered' });
  return receiver.requests[0] as ReceivedRequest;
}

describe('a request', () => {
  test('is a structured CloudEvent that the SDK reads back', async () => {
    const { method, path, headers, body } = await deliverOne();
    expect([method, path]).toEqual(['POST', '/hook']);
    expect(headers['content-type']).toMatch(/^application\/cloudevents\+json(?:;|$)/u);
    const received = HTTP.toEvent({ headers, body });
    expect(received).toMatchObject({ id: event(1).id, type: event(1).type, specversion: '1.0' });
  });

  test('E12: carries a signature that a Standard Webhooks receiver accepts', async () => {
    const { headers, body } = await deliverOne({ secretEnv: ['HOOK'] });
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({ id: event(1).id });
    expect(() => new Webhook(SECRET).verify(`${body} `, headers as Record<string, string>)).toThrow(/signature/u);
  });

  test('E12: carries the signature that an independent implementation computes', async () => {
    const request = await deliverOne({ secretEnv: ['HOOK'], clock: new ManualClock() });
    expect(request.headers['webhook-id']).toBe(event(1).id);
    expect(request.headers['webhook-timestamp']).toBe(String(START.getTime() / 1000));
    expect(request.headers['webhook-signature']).toBe(signatureByCryptoJs(request, SECRET.slice('whsec_'.length)));
  });

  test('E12: is signed once with each secret, so that either receiver of a rotation accepts it', async () => {
    const older = Buffer.from('the older key').toString('base64');
    const environment = { HOOK: SECRET, OLDER: older, EMPTY: '' };
    const request = await deliverOne({ secretEnv: ['HOOK', 'OLDER', 'EMPTY', 'ABSENT'], environment });
    expect(String(request.headers['webhook-signature']).split(' ')).toEqual([
      signatureByCryptoJs(request, SECRET.slice('whsec_'.length)),
      signatureByCryptoJs(request, older),
    ]);
  });

  test('E12: a secret that is not base64 is the key itself', async () => {
    const request = await deliverOne({ secretEnv: ['HOOK'], environment: { HOOK: 'clé secrète' } });
    const key = Buffer.from('clé secrète').toString('base64');
    expect(request.headers['webhook-signature']).toBe(signatureByCryptoJs(request, key));
  });

  test('has no signature where no secret is configured, but id and time', async () => {
    const { headers } = await deliverOne();
    expect(headers['webhook-signature']).toBeUndefined();
    expect(headers['webhook-id']).toBe(event(1).id);
  });
});

describe('an answer', () => {
  test.each([200, 201, 202, 204])('%i is a delivery', async (status) => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(status).end());
    expect(await openSink({ url: receiver.url }).deliver(event(0))).toEqual({ kind: 'delivered' });
  });

  test.each([400, 401, 404, 500, 502])('%i is a failed attempt', async (status) => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(status, { 'retry-after': '30' }).end('no'));
    const outcome = await openSink({ url: receiver.url }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: `the receiver answered ${status}` });
  });

  test.each([429, 503])('%i with Retry-After says when to come back', async (status) => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(status, { 'retry-after': '90' }).end());
    const outcome = await openSink({ url: receiver.url }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: `the receiver answered ${status}`, retryAfterMs: 90_000 });
  });

  test('410 means that the receiver wants no more', async () => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(410).end());
    expect(await openSink({ url: receiver.url }).deliver(event(0))).toMatchObject({ kind: 'gone' });
  });

  test.each([301, 302, 303, 307, 308])('E11: the redirect %i is not followed', async (status) => {
    const elsewhere = await startReceiver();
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(status, { location: elsewhere.url }).end());
    const outcome = await openSink({ url: receiver.url }).deliver(event(0));
    expect(outcome).toEqual({
      kind: 'failed',
      reason: `the receiver answered ${status}, and redirects are not followed`,
    });
    expect(elsewhere.requests).toEqual([]);
  });

  test('that never comes is a failed attempt after the time-out', async () => {
    const receiver = await startReceiver();
    receiver.answer(() => undefined);
    const outcome = await openSink({ url: receiver.url, timeoutMs: 100 }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'no answer within 0.1 s' });
  });

  test('whose body never ends is judged by its status', async () => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.writeHead(200).write('for ever'));
    expect(await openSink({ url: receiver.url, timeoutMs: 200 }).deliver(event(0))).toEqual({ kind: 'delivered' });
  });

  test('with an endless body is cut off, not collected', async () => {
    const receiver = await startReceiver();
    let writtenBytes = 0;
    receiver.answer((response) => {
      response.writeHead(200);
      const flood = (): void => {
        while (!response.destroyed && writtenBytes < 1e9) {
          writtenBytes += 65_536;
          if (!response.write(Buffer.alloc(65_536))) break;
        }
      };
      response.on('drain', flood);
      flood();
    });
    expect(await openSink({ url: receiver.url }).deliver(event(0))).toEqual({ kind: 'delivered' });
    expect(writtenBytes).toBeLessThan(1e8);
  });

  test('that is cut off before its status is a failed attempt', async () => {
    const receiver = await startReceiver();
    receiver.answer((response) => response.destroy());
    const outcome = await openSink({ url: receiver.url }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'the connection was cut' });
  });
});

describe('a target', () => {
  test('that refuses the connection is a failed attempt', async () => {
    const outcome = await openSink({ url: 'http://127.0.0.1:9/' }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'the connection was refused' });
  });

  test('E11: is reached at the address that was checked, under its own name', async () => {
    const receiver = await startReceiver();
    const asked: string[] = [];
    const sink = openSink({
      url: `http://hooks.invalid:${receiver.port}/hook`,
      allowPrivate: true,
      // Rebinding: the second answer would lead elsewhere.
      resolve: async (hostname) => {
        asked.push(hostname);
        return [{ address: asked.length === 1 ? '127.0.0.1' : '127.0.0.99', family: 4 }];
      },
    });
    expect(await sink.deliver(event(0))).toEqual({ kind: 'delivered' });
    expect(asked).toEqual(['hooks.invalid']);
    expect(receiver.requests[0]?.headers['host']).toBe(`hooks.invalid:${receiver.port}`);
  });

  test('E11: is asked for by its own name in TLS, though the address was pinned', async () => {
    const names: string[] = [];
    const server = createServer({
      SNICallback: (name, done) => {
        names.push(name);
        done(new Error('this server has no certificate'));
      },
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const sink = openSink({ url: `https://hooks.invalid:${port}/`, allowPrivate: true, resolve });
    expect(await sink.deliver(event(0))).toMatchObject({ kind: 'failed' });
    expect(names).toEqual(['hooks.invalid']);
  });

  test('E11: at a private address gets nothing, and the attempt does not count', async () => {
    const receiver = await startReceiver();
    const sink = openSink({
      url: `http://hooks.invalid:${receiver.port}/hook`,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    expect(await sink.deliver(event(0))).toMatchObject({
      kind: 'unready',
      reason: expect.stringContaining('127.0.0.1') as string,
    });
    expect(receiver.requests).toEqual([]);
  });

  test('with a name nobody knows is a failed attempt', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const outcome = await openSink({ url: 'https://hooks.invalid/', resolve }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'the host name is unknown' });
  });

  test('whose name server hangs is a failed attempt after the time-out', async () => {
    const resolve = () => new Promise<never>(() => undefined);
    const outcome = await openSink({ url: 'https://hooks.invalid/', resolve, timeoutMs: 50 }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'no answer within 0.05 s' });
  });
});

describe('a secret', () => {
  test.each([{}, { HOOK: '' }])('that is not set keeps the event here: %o', async (environment) => {
    const receiver = await startReceiver();
    const outcome = await openSink({ url: receiver.url, secretEnv: ['HOOK'], environment }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'unready', reason: 'HOOK is not set', hint: "set HOOK to the webhook's secret" });
    expect(receiver.requests).toEqual([]);
  });

  test('E12: that cannot be read is not repeated in the reason', async () => {
    const environment = { HOOK: 'whsec_not base64!' };
    const outcome = await openSink({ url: 'http://127.0.0.1:9/', secretEnv: ['HOOK'], environment }).deliver(event(0));
    expect(outcome.kind).toBe('unready');
    expect(JSON.stringify(outcome)).not.toContain('not base64!');
  });
});

test.each([
  ['120', 120_000],
  ['0', 0],
  [' 5 ', 5000],
  ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
  ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  [undefined, undefined],
])('Retry-After %o is %o ms from noon', (value, delayMs) => {
  expect(parseRetryAfter(value, new ManualClock())).toBe(delayMs);
});
