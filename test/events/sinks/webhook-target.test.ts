/** Where a webhook may connect to (E11): every address of a name is checked, and refused unless it is public. */
import { describe, expect, test } from 'vitest';
import { checkTarget, checkWebhookUrl } from '../../../src/events/sinks/webhook-target.ts';

const resolveTo = (...addresses: string[]) => {
  return async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};

/** An address the owner of the machine may allow. */
const PRIVATE = ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd12:3456::1'];

/** Addresses that nobody may allow. */
const RESERVED = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::7f00:1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2606:4700::5efe:7f00:1',
  '2606:4700::200:5efe:7f00:1',
  '3fff::1',
  '5f00::1',
  '4000::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'no address',
];

describe('checkTarget', () => {
  test.each(['93.184.216.34', '8.8.8.8', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    'E11: the public address %s is allowed over https',
    async (address) => {
      const target = await checkTarget('https://hooks.example.org/x', false, resolveTo(address));
      expect(target).toMatchObject({ kind: 'allowed', addresses: [{ address }] });
    },
  );

  test.each([...PRIVATE, ...RESERVED, '127.0.0.1', '127.8.8.8', '::1'])(
    'E11: a name at %s is refused, also behind a public address',
    async (address) => {
      for (const addresses of [[address], ['8.8.8.8', address], [address, '8.8.8.8']]) {
        const target = await checkTarget('https://hooks.example.org/x', false, resolveTo(...addresses));
        expect(target.kind).toBe('refused');
      }
    },
  );

  test.each([...PRIVATE, '127.0.0.1', '::1'])(
    'a machine may allow the private address %s, with http',
    async (address) => {
      const target = await checkTarget('http://hooks.internal/x', true, resolveTo(address));
      expect(target.kind).toBe('allowed');
    },
  );

  test.each(RESERVED)('E11: no machine may allow %s', async (address) => {
    expect((await checkTarget('http://hooks.internal/x', true, resolveTo(address))).kind).toBe('refused');
  });

  test.each([
    'http://10.0.0.1/',
    'https://[fd00::1]/',
    'https://169.254.169.254/',
    'https://[::ffff:7f00:1]/',
    'https://0/',
  ])('E11: the literal address in %s is checked without asking a name server', async (url) => {
    const target = await checkTarget(url, false, () => Promise.reject(new Error('not to be asked')));
    expect(target.kind).toBe('refused');
  });

  test.each(['http://2130706433/', 'http://0x7f.1/', 'http://127.1/', 'http://localhost:8080/', 'http://[::1]:8080/'])(
    'loopback named by the URL itself is allowed: %s',
    async (url) => {
      const target = await checkTarget(url, false, resolveTo('127.0.0.1', '::1'));
      expect(target.kind).toBe('allowed');
    },
  );

  test('E11: localhost that resolves to anything else is refused', async () => {
    expect((await checkTarget('http://localhost/', false, resolveTo('127.0.0.1', '10.0.0.1'))).kind).toBe('refused');
  });

  test('http to a public address is refused, whatever the machine allows', async () => {
    for (const allowPrivate of [false, true]) {
      const target = await checkTarget('http://hooks.example.org/x', allowPrivate, resolveTo('8.8.8.8'));
      expect(target).toEqual({ kind: 'refused', reason: 'http is allowed only to this machine; use https' });
    }
  });

  test.each([
    [22, 'refused'],
    [25, 'refused'],
    [80, 'refused'],
    [443, 'allowed'],
    [1024, 'allowed'],
    [8443, 'allowed'],
  ])('port %i of a public address is %s', async (port, kind) => {
    const target = await checkTarget(`https://hooks.example.org:${port}/x`, false, resolveTo('8.8.8.8'));
    expect(target.kind).toBe(kind);
  });

  test('a name without any address is refused', async () => {
    expect((await checkTarget('https://hooks.example.org/', false, resolveTo())).kind).toBe('refused');
  });
});

test.each([
  ['hooks.example.org', 'is not a URL'],
  ['ftp://hooks.example.org/', 'must begin with https://'],
  ['file:///etc/passwd', 'must begin with https://'],
  ['https://user@hooks.example.org/', 'must not hold a user name or password'],
  ['https://:secret@hooks.example.org/', 'must not hold a user name or password'],
  ['https://hooks.example.org/#part', 'must not have a fragment (#…)'],
  ['https://hooks.example.org/?key=1', undefined],
])('the URL %s: %s', (url, problem) => {
  expect(checkWebhookUrl(url)).toBe(problem);
});
