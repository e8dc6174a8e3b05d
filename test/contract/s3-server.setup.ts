/**
 * Brings up one real S3 server for all tests of the s3 project (vitest's globalSetup): the one that UTTR_TEST_S3_URL
 * names, or a versitygw of our own where Go is installed. Tests reach it through s3-server.ts.
 */
import type { TestProject } from 'vitest/node';
import { canStartS3Server, startS3Server, type S3Server } from '../../scripts/s3-server.ts';
import type { TestS3 } from './s3-server.ts';

let server: S3Server | undefined;

export async function setup(project: TestProject): Promise<void> {
  const found = fromEnvironment() ?? (await started());
  project.provide('s3', found);
}

export async function teardown(): Promise<void> {
  await server?.stop();
}

function fromEnvironment(): TestS3 | undefined {
  const url = process.env['UTTR_TEST_S3_URL'];
  if (url === undefined || url === '') return undefined;
  return { url: url.replace(/\/$/u, ''), endpoint: process.env['UTTR_TEST_S3_ENDPOINT'], environment: {} };
}

async function started(): Promise<TestS3 | undefined> {
  const isRequired = process.env['UTTR_REQUIRE_S3'] === '1';
  try {
    if (!canStartS3Server()) throw new Error('Go is not installed, and UTTR_TEST_S3_URL is not set');
    server = await startS3Server();
  } catch (error) {
    if (isRequired) throw error;
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    process.stderr.write(`Tests on a real S3 server are skipped: ${reason}.\n`);
    return undefined;
  }
  return {
    url: `s3://${server.bucket}`,
    endpoint: server.endpoint,
    folder: server.folder,
    environment: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
    },
  };
}
