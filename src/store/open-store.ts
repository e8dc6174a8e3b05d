/**
 * From the address in a configuration to a store.
 */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UttrError } from '../base/errors.ts';
import { isBlobName, type BlobStore } from './blob-store.ts';
import { FileBlobStore } from './file-blob-store.ts';
import { S3BlobStore, type S3Options } from './s3-blob-store.ts';

export interface StoreOptions extends Pick<
  S3Options,
  'endpoint' | 'region' | 'forcePathStyle' | 'conditionalPut' | 'credentials' | 'limits' | 'random'
> {
  /** Allows an endpoint without TLS that is not on this machine. */
  readonly insecure?: boolean | undefined;
}

const EXAMPLES = 'an address is s3://bucket/prefix, file:///folder or an absolute path';

/** Room for the names of blobs below it. */
const PREFIX_LIMIT = 512;

/**
 * Opens the store at an address: `s3://bucket/prefix`, `file:///folder`, or an absolute path.
 * Nothing is sent yet; a folder need not exist.
 *
 * @throws bad-remote
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<BlobStore> {
  if (url.startsWith('s3://')) return openBucket(url, options);
  if (url.startsWith('file:')) return FileBlobStore.open(pathOf(url));
  if (isAbsolute(url)) return FileBlobStore.open(url);
  throw badRemote(`not the address of a store: ${withoutSecrets(url)}`, EXAMPLES);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw badRemote(`not the address of a folder: ${withoutSecrets(url)}`, 'write file:///folder/below', cause);
  }
}

function openBucket(url: string, { insecure, ...options }: StoreOptions): BlobStore {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/su.exec(url) ?? [];
  if (bucket.includes('@')) {
    throw badRemote(`credentials in the address ${withoutSecrets(url)}`, 'take them out: they come from the AWS chain');
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/u.test(bucket)) {
    throw badRemote(`no bucket can be called ${JSON.stringify(bucket)}`, EXAMPLES);
  }
  const folder = path.replace(/\/$/u, '');
  if (folder !== '' && (!isBlobName(folder) || folder.length > PREFIX_LIMIT)) {
    throw badRemote(`not a prefix for names: ${JSON.stringify(folder)}`, EXAMPLES);
  }
  if (options.endpoint !== undefined) checkEndpoint(options.endpoint, insecure === true);
  return new S3BlobStore({ ...options, bucket, prefix: folder === '' ? '' : `${folder}/` });
}

function checkEndpoint(endpoint: string, insecure: boolean): void {
  const parsed = URL.parse(endpoint);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw badRemote(`not the address of a server: ${withoutSecrets(endpoint)}`, 'an endpoint is https://host:port');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw badRemote(
      `credentials in the endpoint ${withoutSecrets(endpoint)}`,
      'take them out: they come from the AWS chain',
    );
  }
  if (parsed.protocol === 'http:' && !insecure && !isLoopback(parsed.hostname)) {
    throw badRemote(
      `the endpoint ${endpoint} is not encrypted: anybody on the way could read and change the data`,
      'use https, or set "insecure": true for this remote if the network is your own',
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/u.test(host);
}

/** What stands before an `@` may be a password, and must not reach a terminal or a log. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/u, '//…@').slice(0, 200);
}

function badRemote(message: string, hint: string, cause?: unknown): UttrError {
  return new UttrError('bad-remote', message, { hint, cause });
}
