/**
 * Runs the tests that need a real S3 server: `npm run test:s3 -- [--server versitygw|url] [vitest arguments]`.
 *
 *   versitygw  built with Go and started by the tests (the default)
 *   url        the bucket in UTTR_TEST_S3_URL (s3://bucket/prefix), at UTTR_TEST_S3_ENDPOINT unless it is AWS,
 *              with credentials from the usual AWS environment
 *
 * Unlike in `npm test`, a missing server is a failure here.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, tokens } = parseArgs({
  options: { server: { type: 'string', default: 'versitygw' } },
  allowPositionals: true,
  strict: false,
  tokens: true,
});
const { server } = values;
const environment: NodeJS.ProcessEnv = { ...process.env, UTTR_REQUIRE_S3: '1' };
if (server === 'versitygw') {
  delete environment['UTTR_TEST_S3_URL'];
} else if (server !== 'url') {
  console.error(`--server is versitygw or url, not ${String(server)}`);
  process.exit(2);
} else if (environment['UTTR_TEST_S3_URL'] === undefined) {
  console.error('--server url needs UTTR_TEST_S3_URL (s3://bucket/prefix)');
  process.exit(2);
}

const ours = tokens.filter((token) => token.kind === 'option' && token.name === 'server');
const consumed = new Set(
  ours.flatMap(({ index, ...token }) => ('inlineValue' in token && token.inlineValue ? [index] : [index, index + 1])),
);
const rest = process.argv.slice(2).filter((_, index) => !consumed.has(index));
const { status } = spawnSync('vitest', ['run', '--project', 's3', ...rest], {
  stdio: 'inherit',
  env: environment,
});
process.exitCode = status ?? 1;
