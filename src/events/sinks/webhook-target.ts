/**
 * Where a webhook may connect to.
 *
 * E11 A request goes only to addresses that were resolved once and all checked; a name that resolves differently
 *     a moment later changes nothing. Redirects are never followed.
 *
 * Public addresses need https. Loopback is allowed, also with http, where the URL itself names it (localhost,
 * 127.0.0.1, [::1]): a foreign name that resolves to loopback is refused. Private addresses need a setting of
 * the machine, which no tracked file can give.
 */
import type { LookupAddress } from 'node:dns';
import type Ipaddr from 'ipaddr.js';

/** Resolves a host name to all its addresses; the operating system's resolver outside tests. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export type Target =
  | { readonly kind: 'allowed'; readonly url: URL; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** Ports under 1024 that a public webhook may use; the others belong to services that are no webhooks. */
const LOW_PORTS = new Set(['', '443']);
const FIRST_FREE_PORT = 1024;

/** What is wrong with a URL, whatever it resolves to; undefined when nothing is. Never repeats the URL. */
export function checkWebhookUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (url.hash !== '') return 'must not have a fragment (#…)';
  return undefined;
}

/**
 * Resolves the URL's host and checks every address.
 *
 * @param allowPrivate the machine's owner allows private addresses for this sink; then http may be used to them.
 * @throws what `resolve` throws.
 */
export async function checkTarget(text: string, allowPrivate: boolean, resolve: Resolve): Promise<Target> {
  const problem = checkWebhookUrl(text);
  if (problem !== undefined) return { kind: 'refused', reason: `the URL ${problem}` };
  const url = new URL(text);
  const { default: ipaddr } = await import('ipaddr.js');
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  const addresses = ipaddr.isValid(host)
    ? [{ address: host, family: ipaddr.parse(host).kind() === 'ipv4' ? 4 : 6 }]
    : await resolve(host);
  if (addresses.length === 0) return { kind: 'refused', reason: `${host} has no address` };

  const ranges = addresses.map(({ address }) => classify(address, ipaddr));
  const refused = (reason: string): Target => ({ kind: 'refused', reason });
  if (isLoopbackName(host) && ranges.every((range) => range === 'loopback')) return { kind: 'allowed', url, addresses };
  if (ranges.every((range) => range === 'public')) {
    if (url.protocol !== 'https:') return refused('http is allowed only to this machine; use https');
    if (!LOW_PORTS.has(url.port) && Number(url.port) < FIRST_FREE_PORT)
      return refused(`port ${url.port} is not allowed`);
    return { kind: 'allowed', url, addresses };
  }
  if (allowPrivate && ranges.every((range) => range === 'private' || range === 'loopback')) {
    return { kind: 'allowed', url, addresses };
  }
  const worst = addresses[ranges.findIndex((range) => range !== 'public')]?.address;
  return refused(`${host} is at the address ${worst}, which is not public`);
}

/** `private` are the ranges that an owner may allow; `reserved` ones lead nowhere good from any machine. */
type Range = 'public' | 'loopback' | 'private' | 'reserved';

const OWNED_RANGES = new Set(['private', 'uniqueLocal', 'carrierGradeNat']);

function classify(address: string, ipaddr: typeof Ipaddr): Range {
  if (!ipaddr.isValid(address)) return 'reserved';
  const parsed = ipaddr.parse(address);
  const range: string = parsed.range();
  if (range === 'loopback') return 'loopback';
  if (OWNED_RANGES.has(range)) return 'private';
  // Everything else is refused: link-local (with the clouds' metadata service), multicast, unspecified, and every
  // way to write an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo).
  if (range !== 'unicast') return 'reserved';
  return parsed.kind() === 'ipv4' || isGlobalUnicast(parsed.toByteArray()) ? 'public' : 'reserved';
}

/** In 2000::/3, and not an IPv4 address in disguise (ISATAP: interface ::[0|200]:5efe:a.b.c.d). */
function isGlobalUnicast(bytes: readonly number[]): boolean {
  const isatap = ((bytes[8] as number) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return ((bytes[0] as number) & 0xe0) === 0x20 && !isatap;
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/u.test(host);
}
