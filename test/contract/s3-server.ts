/**
 * The real S3 server of the s3 project's tests (files named *.s3.test.ts).
 *
 *   describeS3('push to a bucket', (s3) => {
 *     test('…', async () => {
 *       const url = uniqueUrl(s3);                               // a place of the test's own in the bucket
 *       const store = await openStore(url, { endpoint: s3.endpoint });
 *       const child = spawn('node', […], { env: { ...process.env, ...s3.environment } });
 *     });
 *   });
 */
import { randomBytes } from 'node:crypto';
import { describe, inject, test } from 'vitest';

export interface TestS3 {
  /** `s3://bucket`, or with a prefix; without a `/` at the end. */
  readonly url: string;
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  /** AWS_* variables that lead to the server: set here already, and to be given to child processes. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where objects lie as plain files; only for a server of our own. */
  readonly folder?: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    s3: TestS3 | undefined;
  }
}

/** A describe that is skipped where there is no real S3 server; the setup has said so, once. */
export function describeS3(title: string, tests: (s3: TestS3) => void): void {
  const s3 = inject('s3');
  Object.assign(process.env, s3?.environment);
  describe.skipIf(s3 === undefined)(title, () => {
    if (s3 === undefined) test('needs a real S3 server', () => undefined);
    else tests(s3);
  });
}

/** A prefix that nothing else uses. */
export function uniqueUrl(s3: TestS3): string {
  return `${s3.url}/t-${randomBytes(8).toString('hex')}`;
}
