/**
 * A real S3 server on this machine, for tests and for trying things out.
 *
 *   node scripts/s3-server.ts                       runs it until Ctrl-C and prints how to reach it
 *   node scripts/s3-server.ts -- command argument…  runs a command beside it, with the environment set, and ends with it
 *
 * The server is versitygw; the first run builds it with Go into the cache folder (UTTR_CACHE, or ~/.cache/uttr).
 */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { canRunVersitygw, startVersitygw, type S3Server } from './s3-server/versitygw.ts';

export type { S3Server } from './s3-server/versitygw.ts';

/** Whether `startS3Server` can work on this machine. */
export function canStartS3Server(): boolean {
  return canRunVersitygw();
}

/** Starts a server with one empty bucket. @throws Error when it cannot be built or does not come up */
export async function startS3Server(): Promise<S3Server> {
  return startVersitygw();
}

/** The environment in which the AWS chain, uttr and its tests find the server. */
export function s3Environment(server: Omit<S3Server, 'stop' | 'folder' | 'requests'>): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: server.region,
    UTTR_TEST_S3_URL: `s3://${server.bucket}`,
    UTTR_TEST_S3_ENDPOINT: server.endpoint,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args[0] === '--' ? args.slice(1) : args;
  const server = await startS3Server();
  try {
    const environment = s3Environment(server);
    if (command === undefined) {
      for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`);
      console.error(`Objects lie in ${server.folder}. Ctrl-C ends the server.`);
      await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
      return 0;
    }
    const child = spawn(command, rest, { stdio: 'inherit', env: { ...process.env, ...environment } });
    // The command gets Ctrl-C too, and decides how to end.
    process.on('SIGINT', () => undefined).on('SIGTERM', () => child.kill('SIGTERM'));
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    await server.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
