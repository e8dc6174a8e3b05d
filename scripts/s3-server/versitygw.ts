/**
 * versitygw, an S3 server over a folder: built from source through the Go module proxy, run on a loopback port.
 *
 * The version is pinned: conditional writes are atomic only in releases after August 2026.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cachedProgram, cachePath } from '../cache.ts';

const MODULE = 'github.com/versity/versitygw/cmd/versitygw';
const VERSION = 'v1.8.0';

const START_ATTEMPTS = 5;
const START_LIMIT_MS = 15_000;

/** A running server with one empty bucket, and the keys to it. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the server keeps objects as plain files, for tests that damage them. */
  readonly folder: string;
  /** Requests answered so far, by the server's own log. */
  requests(): number;
  stop(): Promise<void>;
}

/** Whether the server can be built, or has been. */
export function canRunVersitygw(): boolean {
  return existsSync(binaryPath()) || spawnSync('go', ['version']).status === 0;
}

/** Builds the server unless the cache has it. @returns the path of the program. */
export function buildVersitygw(): string {
  return cachedProgram(binaryPath(), (draft) => {
    const { status, stderr, error } = spawnSync('go', ['install', `${MODULE}@${VERSION}`], {
      env: { ...process.env, GOBIN: draft },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`go install ${MODULE}@${VERSION} failed: ${error?.message ?? stderr}`);
    return join(draft, 'versitygw');
  });
}

/** Starts the server on a free port of 127.0.0.1, in a folder of its own that `stop` removes. */
export async function startVersitygw(): Promise<S3Server> {
  const program = buildVersitygw();
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Somebody else may take the port in between; and not every file system has extended attributes.
      return await start(program, await freePort(), attempt % 2 === 0);
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function start(program: string, port: number, hasSidecar: boolean): Promise<S3Server> {
  const root = mkdtempSync(join(tmpdir(), 'uttr-s3-'));
  const server = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'uttr-test',
    accessKeyId: `AK${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('base64url'),
    folder: join(root, 'objects', 'uttr-test'),
  };
  // Each folder at the top is a bucket. Tags are attributes of the files, or lie in a folder beside.
  mkdirSync(server.folder, { recursive: true });
  mkdirSync(join(root, 'sidecar'));
  const backend = ['posix', ...(hasSidecar ? ['--sidecar', join(root, 'sidecar')] : []), join(root, 'objects')];
  const log = join(root, 'access.log');
  const address = ['--port', `127.0.0.1:${port}`, '--region', server.region, '--health', '/health'];
  const options = [...address, '--access-log', log, '--quiet'];
  const child = spawn(program, [...options, ...backend], {
    env: { ...process.env, ROOT_ACCESS_KEY: server.accessKeyId, ROOT_SECRET_KEY: server.secretAccessKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const endWithParent = (): unknown => child.kill('SIGKILL');
  process.once('exit', endWithParent);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', endWithParent);
    await end(child);
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await untilHealthy(child, `${server.endpoint}/health`);
  } catch (error) {
    await stop();
    throw error;
  }
  const requests = (): number => readFileSync(log, 'latin1').split('\n').length - 1;
  return { ...server, requests, stop };
}

async function untilHealthy(child: ChildProcess, url: string): Promise<void> {
  let log = '';
  child.stderr?.on('data', (text: Buffer) => (log += text.toString()));
  child.on('error', (error) => (log += error.message));
  for (const began = performance.now(); performance.now() - began < START_LIMIT_MS;) {
    if (child.exitCode !== null) break;
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(20);
  }
  throw new Error(`versitygw did not start: ${log.trim() || 'no reason given'}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(force);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function binaryPath(): string {
  return cachePath(`versitygw-${VERSION}`, 'versitygw');
}
