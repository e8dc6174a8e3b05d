/**
 * What S3BlobStore makes of answers: how it goes on after a fault, what it believes, and what it tells a person.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { S3Client, PutObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UttrError } from '../../src/base/errors.ts';
import { S3BlobStore } from '../../src/store/s3-blob-store.ts';
import { failureOf, retryAfterMs, s3Error } from '../../src/store/s3-errors.ts';
import { describeBlobStore } from '../contract/blob-store.ts';
import { FakeS3, SHORT_LIMITS } from '../doubles/fake-s3.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

let s3: FakeS3;
beforeEach(async () => {
  s3 = await FakeS3.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await s3.stop();
});

const text = (content: string): Buffer => Buffer.from(content);
const statuses = (): string[] => s3.requests.map(({ operation, status }) => `${operation} ${status}`);

describe('reading on after a cut', () => {
  test('B2: asks only for the rest, and only of the same object', async () => {
    const bytes = randomBytes(500_000);
    const tag = s3.seed('blob', bytes);
    s3.inject({ kind: 'reset-in-body', operation: 'get' });
    expect((await s3.store().get('blob')).equals(bytes)).toBe(true);
    const [first, second] = s3.requests;
    expect(first?.range).toBeUndefined();
    expect(second?.range).toMatch(/^bytes=[1-9]\d*-$/u);
    expect(s3.count('get')).toBe(2);
    expect(tag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`);
  });

  test('a blob that comes a little at a time comes whole, however often it is cut', async () => {
    const bytes = randomBytes(3_000_000);
    s3.seed('blob', bytes);
    s3.inject({ kind: 'reset-in-body', operation: 'get', times: 5 });
    const range = { start: 11, end: 2_999_999 };
    const limits = {
      ...SHORT_LIMITS,
      retry: {
        baseMs: 1,
        capMs: 2,
        budgetMs: 5_000,
        tries: { throttled: 1, transient: 1, unreachable: 0, doubtful: 0, final: 0 },
      },
    };
    const got = await s3.store({ limits }).get('blob', range);
    expect(got.equals(bytes.subarray(range.start, range.end))).toBe(true);
    expect(s3.count('get')).toBe(6);
  });

  test('a blob that was replaced between two parts is read anew, never mixed', async () => {
    s3.seed('blob', Buffer.alloc(400_000, 1));
    s3.inject({ kind: 'stall-in-body', operation: 'get' });
    const reading = s3.store().get('blob');
    while (s3.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    s3.seed('blob', Buffer.alloc(500_000, 2));
    expect((await reading).equals(Buffer.alloc(500_000, 2))).toBe(true);
    expect(statuses()).toEqual(['get 0', 'get 412', 'get 200']);
  });

  test('a server without ranges is good enough', async () => {
    s3.seed('blob', text('0123456789'));
    s3.inject({ kind: 'range-ignored', times: Infinity });
    expect((await s3.store().get('blob', { start: 3, end: 6 })).toString()).toBe('345');
    await expect(s3.store().get('blob', { start: 3, end: 16 })).rejects.toMatchObject({ code: 'wrong-answer' });
  });
});

describe('B1: believing a PUT', () => {
  test('a page in place of an answer is no upload', async () => {
    s3.inject({ kind: 'html', times: Infinity });
    await expect(s3.store().put('blob', text('x'))).rejects.toMatchObject({ code: 'wrong-answer' });
    await expect(s3.store().create('blob', text('x'))).rejects.toMatchObject({ code: 'wrong-answer' });
    expect(s3.objects.size).toBe(0);
  });

  test('a blob that arrived with another size is sent again, once', async () => {
    const store = s3.store();
    s3.inject({ kind: 'short-body', operation: 'head' });
    await store.put('blob', text('0123456789'));
    expect(statuses()).toEqual(['put 200', 'head 200', 'put 200', 'head 200']);
    s3.inject({ kind: 'short-body', operation: 'head', times: Infinity });
    await expect(store.put('blob', text('0123456789'))).rejects.toMatchObject({ code: 'wrong-answer' });
  });

  test('a bit that flips on the way there is refused by the server and sent again', async () => {
    s3.inject({ kind: 'flip-request', operation: 'put' });
    await s3.store().put('blob', text('0123456789'));
    expect(s3.objects.get('blob')?.bytes.toString()).toBe('0123456789');
    expect(statuses()).toEqual(['put 400', 'put 200', 'head 200']);
  });
});

describe('B3: settling a conditional PUT', () => {
  test('a write whose answer was lost is found by reading back', async () => {
    const store = s3.store();
    s3.inject({ kind: 'lose-answer', operation: 'put' });
    const tag = await store.replace('head', undefined, text('mine'));
    expect((await store.read('head'))?.tag).toBe(tag);
    expect(statuses().slice(0, 3)).toEqual(['put 0', 'put 412', 'get 200']);
    s3.inject({ kind: 'lose-answer', operation: 'put' });
    expect(await store.create('log', text('mine'))).toBe(true);
  });

  test('a write that lost every answer is found by reading back', async () => {
    s3.inject({ kind: 'lose-answer', operation: 'put', times: Infinity });
    const store = s3.store();
    const tag = await store.replace('head', undefined, text('mine'));
    expect((await store.read('head'))?.tag).toBe(tag);
  });

  test('a write that lost its answer to somebody faster is told that the head moved', async () => {
    const store = s3.store();
    const tag = s3.seed('head', text('old'));
    s3.inject({ kind: 'reset-before-answer', operation: 'put' });
    const moving = store.replace('head', tag, text('mine'));
    while (s3.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    s3.seed('head', text('theirs'));
    await expect(moving).rejects.toMatchObject({ code: 'head-moved' });
    expect(s3.objects.get('head')?.bytes.toString()).toBe('theirs');
  });

  test('a 409 is tried again', async () => {
    s3.inject({ kind: 'conflict', operation: 'put', times: 2 });
    await s3.store().replace('head', undefined, text('mine'));
    expect(statuses()).toEqual(['put 409', 'put 409', 'put 200']);
  });
});

describe('reading a head', () => {
  test('bytes that belong to the tag are read once', async () => {
    s3.seed('head', text('x'));
    await s3.store().read('head');
    expect(s3.count('get')).toBe(1);
  });

  test('bytes that do not belong to the tag are read again until two looks agree', async () => {
    s3.seed('head', text('new'));
    s3.inject({ kind: 'flip-answer', operation: 'get' });
    expect((await s3.store().read('head'))?.bytes.toString()).toBe('new');
    expect(s3.count('get')).toBe(2);
    s3.objects.set('encrypted', { bytes: text('x'), tag: '"0123456789abcdef"' });
    expect(await s3.store().read('encrypted')).toEqual({ bytes: text('x'), tag: '"0123456789abcdef"' });
    expect(s3.count('get')).toBe(4);
  });
});

describe('listing', () => {
  test('things of others below the prefix are passed over', async () => {
    for (const key of ['data/', 'data/packs/', 'data/packs/a', 'data//b', 'database', 'data/é'])
      s3.seed(key, text('x'));
    const names = await Array.fromAsync(s3.store({ prefix: 'data/' }).list(''), (stat) => stat.name);
    expect(names).toEqual(['packs/a']);
  });
});

describe('throttling', () => {
  test('fewer requests go at once, and all pass in the end', async () => {
    s3.inject({ kind: 'slow-down', times: 20 });
    const store = s3.store();
    const names = Array.from({ length: 40 }, (_, index) => `blob-${index}`);
    for (const name of names) s3.seed(name, text(name));
    const got = await Promise.all(names.map(async (name) => (await store.get(name)).toString()));
    expect(got).toEqual(names);
    expect(s3.count('get')).toBe(60);
  });

  test('the pause that the server asks for is known', () => {
    const error = { $response: { statusCode: 503, headers: { 'retry-after': '7' } } };
    expect(retryAfterMs(error)).toBe(7000);
    expect(retryAfterMs({ $response: { headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } } })).toBe(0);
    expect(retryAfterMs(new Error('x'))).toBe(0);
  });
});

describe('one writer at a time', () => {
  test('works on a server that ignores conditions', async () => {
    const plain = await FakeS3.start({ conditions: 'ignored' });
    try {
      const store = plain.store({ conditionalPut: false });
      expect(store.supports.conditionalPut).toBe(false);
      const tag = await store.replace('head', undefined, text('one'));
      await expect(store.replace('head', undefined, text('two'))).rejects.toMatchObject({ code: 'head-moved' });
      const next = await store.replace('head', tag, text('two'));
      await expect(store.replace('head', tag, text('three'))).rejects.toMatchObject({ code: 'head-moved' });
      expect((await store.read('head'))?.tag).toBe(next);
      expect(await store.create('log', text('x'))).toBe(true);
      expect(await store.create('log', text('y'))).toBe(false);
    } finally {
      await plain.stop();
    }
  });
});

describe('ending a call', () => {
  test.each(['no-answer', 'stall-in-body', 'slow-down', 'internal-error'] as const)(
    'a signal ends a call that suffers from %s with aborted',
    async (kind) => {
      s3.seed('blob', randomBytes(100_000));
      s3.inject({ kind, times: Infinity });
      const slow = {
        idleMs: 60_000,
        answerMs: 60_000,
        requestMs: 60_000,
        retry: {
          baseMs: 60_000,
          capMs: 60_000,
          budgetMs: 600_000,
          tries: { throttled: 9, transient: 9, unreachable: 9, doubtful: 9, final: 9 },
        },
      };
      const control = new AbortController();
      const reading = s3.store({ limits: slow }).get('blob', undefined, { signal: control.signal });
      while (s3.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      setTimeout(() => control.abort(), 20);
      await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    },
  );
});

test('an answer that trickles on and on ends with remote-unreachable', async () => {
  s3.seed('blob', randomBytes(100_000));
  s3.inject({ kind: 'trickle', times: Infinity });
  const reading = s3.store({ limits: { ...SHORT_LIMITS, requestMs: 60 } }).get('blob');
  await expect(reading).rejects.toMatchObject({ code: 'remote-unreachable' });
});

describe('what a person is told', () => {
  const codeAndHint = async (call: Promise<unknown>): Promise<[string, string, string]> => {
    const error: unknown = await call.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!(error instanceof UttrError)) throw new TypeError(`not an error of ours: ${String(error)}`);
    return [error.code, error.message, error.hint ?? ''];
  };

  test('a key that the server does not know', async () => {
    const credentials = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' };
    for (const call of ['get', 'stat'] as const) {
      const [code, message, hint] = await codeAndHint(s3.store({ credentials })[call]('blob'));
      expect(code).toBe('access-denied');
      expect(message).toContain('does not know this access key');
      expect(hint).toContain('AWS_ACCESS_KEY_ID');
    }
  });

  test('a wrong secret', async () => {
    const credentials = { ...s3.credentials, secretAccessKey: 'hunter2' };
    const [code, message, hint] = await codeAndHint(s3.store({ credentials }).get('blob'));
    expect(code).toBe('access-denied');
    expect(`${message} ${hint}`).toContain('AWS_SECRET_ACCESS_KEY');
    expect(`${message} ${hint}`).not.toContain('hunter2');
  });

  test('no credentials at all', async () => {
    const home = temporaryDirectory();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('HOME', home);
    vi.stubEnv('AWS_CONFIG_FILE', `${home}/none`);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', `${home}/none`);
    const [code, message, hint] = await codeAndHint(s3.store({ credentials: undefined }).get('blob'));
    expect(code).toBe('access-denied');
    expect(message).toContain('no credentials');
    expect(hint).toContain('AWS_PROFILE');
    expect(s3.requests).toEqual([]);
  });

  test('credentials come from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', s3.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3.credentials.secretAccessKey);
    vi.stubEnv('AWS_REGION', s3.region);
    const store = s3.store({ credentials: undefined, region: undefined });
    await store.put('blob', text('x'));
    expect(s3.objects.size).toBe(1);
  });

  test('a bucket that does not exist', async () => {
    for (const call of ['get', 'stat', 'read', 'delete'] as const) {
      const [code, message] = await codeAndHint(s3.store({ bucket: 'nowhere' })[call]('blob'));
      expect(code).toBe('bad-remote');
      expect(message).toContain('there is no bucket nowhere');
    }
  });

  test('a wrong region', async () => {
    const [code, , hint] = await codeAndHint(s3.store({ region: 'eu-wrong-1' }).get('blob'));
    expect(code).toBe('bad-remote');
    expect(hint).toContain('"region"');
  });

  test('a server that nobody runs', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const endpoint = `http://127.0.0.1:${port}`;
    const [code, message] = await codeAndHint(s3.store({ endpoint }).get('blob'));
    expect(code).toBe('remote-unreachable');
    expect(message).toContain(`nothing answers at ${endpoint}`);
  });

  test('a server that does not speak HTTP', async () => {
    const server = createServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const [code] = await codeAndHint(s3.store({ endpoint: `http://127.0.0.1:${port}` }).get('blob'));
    expect(['remote-unreachable', 'wrong-answer']).toContain(code);
    server.close();
  });

  test.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'remote-unreachable', 'final', 'NODE_EXTRA_CA_CERTS'],
    ['CERT_HAS_EXPIRED', 'remote-unreachable', 'final', 'NODE_EXTRA_CA_CERTS'],
    ['ExpiredToken', 'access-denied', 'final', 'aws sso login'],
    ['AccessDenied', 'access-denied', 'final', 's3:PutObject'],
    ['PermanentRedirect', 'bad-remote', 'final', '"region"'],
    ['RequestTimeTooSkewed', 'remote-unreachable', 'transient', 'clock'],
    ['XMinioStorageFull', 'disk-full', 'final', 'space'],
    ['NotImplemented', 'bad-remote', 'final', 'remote check'],
    ['ENOTFOUND', 'remote-unreachable', 'unreachable', 'endpoint'],
    ['SomethingNew', 'remote-unreachable', 'transient', 'try again'],
  ] as const)('%s is %s (%s), with a hint about %s', (code, expected, kind, hint) => {
    const cause = Object.assign(new Error('text of a library'), { code });
    const call = { action: 'read x', bucket: 'b', url: 's3://b/', endpoint: 'https://s3.example.com', tries: 3 };
    const error = s3Error(cause, call);
    expect(error).toMatchObject({ code: expected, cause, details: { tries: 3, reason: code } });
    expect(error.hint).toContain(hint);
    expect(error.message).not.toContain('text of a library');
    expect(failureOf(cause)).toBe(kind);
  });

  test('the region that the server names is in the hint', () => {
    const headers = { 'x-amz-bucket-region': 'eu-central-1' };
    const cause = Object.assign(new Error('moved'), {
      name: 'PermanentRedirect',
      $response: { statusCode: 301, headers },
    });
    const call = { action: 'read x', bucket: 'b', url: 's3://b/', endpoint: undefined, tries: 1 };
    expect(s3Error(cause, call).hint).toContain('"eu-central-1"');
  });

  test('a store that was only opened has sent nothing', async () => {
    const store = new S3BlobStore({ bucket: 'bucket', endpoint: s3.endpoint });
    await store.close();
    expect(s3.requests).toEqual([]);
  });
});

describe('the S3 server of the tests', () => {
  const client = (secretAccessKey = s3.credentials.secretAccessKey): S3Client =>
    new S3Client({
      endpoint: s3.endpoint,
      region: s3.region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { ...s3.credentials, secretAccessKey },
    });
  const target = { Bucket: 'bucket', Key: 'a b/c+d' };

  test('takes what the SDK sends by default, with its CRC32', async () => {
    await client().send(new PutObjectCommand({ ...target, Body: 'hello' }));
    const answer = await client().send(new GetObjectCommand(target));
    expect(await answer.Body?.transformToString()).toBe('hello');
  });

  test('refuses a wrong CRC32, a wrong MD5, a wrong signature and no signature', async () => {
    const put = async (more: object, secret?: string): Promise<unknown> =>
      client(secret).send(new PutObjectCommand({ ...target, Body: 'hello', ...more }));
    await expect(put({ ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(put({ ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(put({}, 'wrong')).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    expect((await fetch(`${s3.endpoint}/bucket/a`)).status).toBe(403);
    expect(s3.objects.size).toBe(0);
  });
});

describe('the contract with one request at a time', () => {
  describeBlobStore(
    'S3, one request at a time',
    async () => s3.store({ limits: { ...SHORT_LIMITS, concurrency: 1, idleMs: 5_000, answerMs: 5_000 } }),
    { 'a list of 1,100 blobs is complete': 'held with many requests at a time' },
  );
});
