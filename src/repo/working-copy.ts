/**
 * The folder a person works in: where its root is, its uttr.json, its pointers.
 *
 * W1  A pointer file is replaced whole or not at all.
 * W2  A pointer that a finished commit could not write (the process ended between the two) is written by the
 *     next command, unless the file has been moved on since, by git or by hand.
 */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UttrError } from '../base/errors.ts';
import { parseDatasetName } from '../records/dataset-name.ts';
import { decodePointer, type Pointer } from '../records/pointer.ts';
import { fileError, writeDurably } from '../store/durable-file.ts';
import { type Config, CONFIG_FILE, parseConfig } from './config.ts';

export const MANIFESTS = 'manifests';
export const LOCAL = '.uttr';

/** The nearest folder at or above `directory` with a uttr.json; undefined when there is none. */
export function findRoot(directory: string): string | undefined {
  let folder = resolve(directory);
  for (;;) {
    if (existsSync(join(folder, CONFIG_FILE))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** As findRoot. @throws not-a-repository */
export function requireRoot(directory: string): string {
  const root = findRoot(directory);
  if (root !== undefined) return root;
  throw new UttrError('not-a-repository', `there is no ${CONFIG_FILE} in ${resolve(directory)} or above it`, {
    hint: 'run: uttr init',
  });
}

export function readConfig(root: string): Config {
  const path = join(root, CONFIG_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  return parseConfig(text);
}

/** Changes uttr.json and keeps what it does not touch; the result is checked before it is written. */
export async function editConfig(root: string, edit: (config: Record<string, unknown>) => void): Promise<Config> {
  const path = join(root, CONFIG_FILE);
  const value = JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/u, '')) as Record<string, unknown>;
  edit(value);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  const config = parseConfig(text);
  await writeDurably(path, Buffer.from(text));
  return config;
}

export function pointerPath(dataset: string): string {
  return `${MANIFESTS}/${parseDatasetName(dataset)}.json`;
}

/** The pointer's own text as it stands in the working tree; undefined where there is none. */
export async function readPointerText(root: string, dataset: string): Promise<string | undefined> {
  const path = join(root, pointerPath(dataset));
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}

/** @throws bad-pointer when the file was edited by hand or holds a conflict */
export async function readPointer(root: string, dataset: string): Promise<Pointer | undefined> {
  const text = await readPointerText(root, dataset);
  return text === undefined ? undefined : parsePointer(text, dataset);
}

/** As `readPointer`, at once: for use inside a transaction. */
export function readPointerNow(root: string, dataset: string): Pointer | undefined {
  const path = join(root, pointerPath(dataset));
  try {
    return parsePointer(readFileSync(path, 'utf8'), dataset);
  } catch (error) {
    if (error instanceof UttrError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}

/** Parses a pointer and checks that it is the one of `dataset`. @throws bad-pointer */
export function parsePointer(text: string, dataset: string): Pointer {
  const pointer = decodePointer(text, pointerPath(dataset));
  if (pointer.dataset !== dataset) {
    throw new UttrError('bad-pointer', `${pointerPath(dataset)} is the pointer of "${pointer.dataset}"`, {
      hint: `name the file ${MANIFESTS}/${pointer.dataset}.json, or bring the right one back: git checkout -- ${pointerPath(dataset)}`,
    });
  }
  return pointer;
}

export async function writePointerText(root: string, dataset: string, text: string): Promise<void> {
  await writeDurably(join(root, pointerPath(dataset)), Buffer.from(text));
}

/** Datasets that have a pointer in the working tree, in name order. */
export async function pointedDatasets(root: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(join(root, MANIFESTS));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, 'read', join(root, MANIFESTS));
  }
  return names
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}
