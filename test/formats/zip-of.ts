/** Archives for tests: what is in them, as values. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openArchive, writeArchive } from '../../src/formats/archive.ts';

/** A zip of documents by path; a text goes in as it is, all else as JSON. */
export async function zipOf(documents: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const files = Object.entries(documents).map(([path, value]) => ({
    path,
    bytes: value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  }));
  return Buffer.concat(await Array.fromAsync(writeArchive(files)));
}

/** A folder as a zip. */
export async function zipOfFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const documents: Record<string, Buffer> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) documents[path.slice(folder.length + 1).replaceAll('\\', '/')] = await readFile(path);
  }
  return zipOf(documents);
}

/** The documents in a zip by path, parsed. */
export async function documentsIn(bytes: Buffer): Promise<Record<string, unknown>> {
  const { entries } = await openArchive(bytes, 'test.zip');
  const documents: Record<string, unknown> = {};
  for (const entry of entries) documents[entry.path] = JSON.parse(String(await entry.read()));
  return documents;
}

/** Paths of the files in a zip. */
export async function pathsIn(bytes: Buffer): Promise<string[]> {
  return (await openArchive(bytes, 'test.zip')).entries.map(({ path }) => path);
}
