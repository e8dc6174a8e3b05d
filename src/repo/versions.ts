/**
 * Versions by name: full hash, prefix, HEAD, HEAD~2, tag, git:<ref>.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { type Hash, isHash, sha256 } from '../base/hash.ts';
import { hintFor } from '../base/near-miss.ts';
import { decodeManifest, type Manifest } from '../records/manifest.ts';
import type { Repository } from './repository.ts';
import { parsePointer, pointerPath, readPointer } from './working-copy.ts';

const SHORTEST_PREFIX = 6;
const PREFIX = /^[0-9a-f]{6,63}$/u;

export interface Version {
  readonly hash: Hash;
  readonly manifest: Manifest;
}

/** A dataset and the name of one of its versions, as written by a person: `support@HEAD~2`. */
export interface Target {
  readonly dataset: string;
  readonly name: string;
}

/**
 * Reads `dataset[@version]`; a word that is no dataset is taken for a version of the only dataset.
 *
 * @throws unknown-dataset
 */
export function parseTarget(repository: Repository, text: string | undefined): Target {
  if (text === undefined || text === '') return { dataset: repository.onlyDataset(), name: 'HEAD' };
  const at = text.indexOf('@');
  if (at > 0) {
    const dataset = text.slice(0, at);
    repository.dataset(dataset);
    return { dataset, name: text.slice(at + 1) || 'HEAD' };
  }
  if (text in repository.config.datasets) return { dataset: text, name: 'HEAD' };
  if (at === 0) return { dataset: repository.onlyDataset(), name: text.slice(1) || 'HEAD' };
  if (!looksLikeVersion(text) && !isOnlyDatasetsTag(repository, text)) repository.dataset(text);
  return { dataset: repository.onlyDataset(), name: text };
}

function isOnlyDatasetsTag(repository: Repository, text: string): boolean {
  const [dataset, ...others] = Object.keys(repository.config.datasets);
  return dataset !== undefined && others.length === 0 && repository.catalogue.tag(dataset, text) !== undefined;
}

function looksLikeVersion(text: string): boolean {
  return (
    /^HEAD(?:~\d*)*$/u.test(text) ||
    text.startsWith('git:') ||
    /^[0-9a-f]{6,64}(?:~\d*)*$/u.test(text) ||
    text.includes('~')
  );
}

/** The version a target names. @throws unknown-version, ambiguous-version, missing-chunk */
export async function resolveVersion(repository: Repository, target: Target): Promise<Version> {
  const { base, steps } = splitSteps(target.name);
  let version = await loadVersion(repository, await resolveBase(repository, target.dataset, base), target.dataset);
  for (let step = 0; step < steps; step++) {
    const parent = version.manifest.parents[0];
    if (parent === undefined) {
      throw new UttrError('unknown-version', `${target.dataset}@${target.name} goes back before the first version`, {
        hint: `see: uttr log ${target.dataset}`,
      });
    }
    version = await loadVersion(repository, parent, target.dataset);
  }
  return version;
}

/** `HEAD~2~` is HEAD, three steps back along first parents. */
function splitSteps(name: string): { base: string; steps: number } {
  const match = /^(?<base>[^~]+)(?<rest>(?:~\d*)*)$/u.exec(name);
  if (match?.groups === undefined) throw new UttrError('unknown-version', `"${name}" is no name of a version`);
  const rest = match.groups['rest'] ?? '';
  let steps = 0;
  for (const part of rest.split('~').slice(1)) steps += part === '' ? 1 : Number(part);
  return { base: match.groups['base'] ?? name, steps };
}

async function resolveBase(repository: Repository, dataset: string, name: string): Promise<Hash> {
  if (name === 'HEAD') return resolveHead(repository, dataset);
  if (name.startsWith('git:')) return resolveGit(repository, dataset, name.slice('git:'.length));
  if (isHash(name)) return name;
  const tag = repository.catalogue.tag(dataset, name);
  if (tag !== undefined) return tag;
  if (PREFIX.test(name)) {
    const found = repository.catalogue.versionsByPrefix(dataset, name, 2);
    if (found.length > 1) {
      throw new UttrError('ambiguous-version', `several versions of ${dataset} begin with ${name}`, {
        hint: `give more digits: ${found.map((hash) => hash.slice(0, name.length + 6)).join(', ')}`,
      });
    }
    if (found[0] !== undefined) return found[0];
    const older = await findInHistory(repository, dataset, name);
    if (older !== undefined) return older;
  }
  throw unknownVersion(repository, dataset, name);
}

function unknownVersion(repository: Repository, dataset: string, name: string): UttrError {
  const tags = repository.catalogue.tags(dataset).map((tag) => tag.name);
  const short = /^[0-9a-f]+$/u.test(name) && name.length < SHORTEST_PREFIX;
  return new UttrError('unknown-version', `${dataset} has no version "${name}"`, {
    hint: short
      ? `give at least ${SHORTEST_PREFIX} digits of the hash`
      : tags.length > 0
        ? hintFor(name, ['HEAD', ...tags], 'names')
        : `see: uttr log ${dataset}`,
  });
}

/** On a fresh clone the catalogue is empty: walk the history for a hash that begins so. */
async function findInHistory(repository: Repository, dataset: string, prefix: string): Promise<Hash | undefined> {
  const pointer = await readPointer(repository.root, dataset);
  if (pointer === undefined) return undefined;
  for await (const version of history(repository, pointer.version)) {
    if (version.hash.startsWith(prefix)) return version.hash;
  }
  return undefined;
}

async function resolveHead(repository: Repository, dataset: string): Promise<Hash> {
  const pointer = await readPointer(repository.root, dataset);
  if (pointer !== undefined) return pointer.version;
  throw new UttrError('unknown-version', `${dataset} has no version yet`, {
    hint:
      repository.catalogue.staged(dataset) === undefined
        ? `add data first: uttr add ${dataset} <file>`
        : `commit what is staged: uttr commit ${dataset}`,
  });
}

async function resolveGit(repository: Repository, dataset: string, ref: string): Promise<Hash> {
  if (ref === '' || ref.startsWith('-')) throw new UttrError('unknown-version', `"git:${ref}" names no git ref`);
  if ((await repository.git.ask('rev-parse', '--verify', '-q', `${ref}^{commit}`)) === undefined) {
    throw new UttrError('unknown-version', `git knows no ref "${ref}"`, { hint: 'see: git branch --all' });
  }
  const text = await repository.git.show(ref, `./${pointerPath(dataset)}`);
  if (text === undefined) {
    throw new UttrError('unknown-version', `${pointerPath(dataset)} does not exist in git ref "${ref}"`);
  }
  return parsePointer(text, dataset).version;
}

/**
 * A version's manifest, from the catalogue or, on a fresh clone, from the remote.
 *
 * @throws unknown-version when neither has it
 */
export async function loadVersion(repository: Repository, hash: Hash, dataset?: string): Promise<Version> {
  const row = repository.catalogue.version(hash);
  // The name is checked here too (P3): a damaged catalogue must not lead to other trees.
  if (row !== undefined && sha256(row.manifest) === hash) return { hash, manifest: decodeManifest(row.manifest) };
  let bytes: Buffer;
  try {
    bytes = await repository.chunks.get(hash);
  } catch (error) {
    if (!(error instanceof UttrError) || error.code !== 'missing-chunk') throw error;
    const remotes = Object.keys(repository.config.remotes);
    throw new UttrError('unknown-version', `version ${hash.slice(0, 12)} is neither here nor on a remote`, {
      cause: error,
      hint:
        remotes.length === 0
          ? 'this project has no remote: ask its owner to push to one, then: uttr remote add origin <url>'
          : `whoever made it has not pushed it yet (to ${remotes.join(', ')}): ask for uttr push`,
      details: { version: hash },
    });
  }
  const text = bytes.toString('utf8');
  const manifest = decodeManifest(text);
  if (dataset !== undefined && manifest.dataset !== dataset) {
    throw new UttrError('unknown-version', `version ${hash.slice(0, 12)} belongs to dataset "${manifest.dataset}"`, {
      hint: `name it so: ${manifest.dataset}@${hash.slice(0, 12)}`,
    });
  }
  repository.catalogue.transaction(() =>
    repository.catalogue.addVersion({ hash, dataset: manifest.dataset, time: manifest.time, manifest: text }),
  );
  return { hash, manifest };
}

/** The version HEAD names; undefined for a dataset that has none yet. */
export async function headVersion(repository: Repository, dataset: string): Promise<Version | undefined> {
  const pointer = await readPointer(repository.root, dataset);
  return pointer === undefined ? undefined : loadVersion(repository, pointer.version, dataset);
}

/** A version and everything before it, newest first; each once. A parent comes after all its children. */
export async function* history(repository: Repository, start: Hash): AsyncIterable<Version> {
  const open = new Map<Hash, Version>([[start, await loadVersion(repository, start)]]);
  const seen = new Set<Hash>([start]);
  while (open.size > 0) {
    throwIfAborted(repository.signal);
    const next = newest(open);
    open.delete(next.hash);
    yield next;
    for (const parent of next.manifest.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.set(parent, await loadVersion(repository, parent));
    }
  }
}

function newest(open: ReadonlyMap<Hash, Version>): Version {
  const [first, ...rest] = open.values();
  let best = first as Version;
  for (const version of rest) {
    if (version.manifest.time > best.manifest.time) best = version;
  }
  return best;
}
