/**
 * Remotes: opening them, adding them, what they are known to hold.
 */
import { UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { openStore } from '../store/open-store.ts';
import { type StoreProbe, probeStore } from '../store/probe.ts';
import type { RemoteConfig } from './config.ts';
import type { Repository } from './repository.ts';
import { checkStoreFormat } from './store-format.ts';
import { editConfig } from './working-copy.ts';

/** A remote by its name in uttr.json, open. */
export interface OpenRemote {
  readonly name: string;
  readonly url: string;
  readonly store: BlobStore;
}

/** `origin`, or the only remote there is; undefined where there is none. */
export function defaultRemote(repository: Repository): string | undefined {
  const names = Object.keys(repository.config.remotes);
  return names.includes('origin') ? 'origin' : names[0];
}

/** The remote meant where none is named. @throws unknown-remote */
export function requireRemote(repository: Repository, name: string | undefined): string {
  const chosen = name ?? defaultRemote(repository);
  const names = Object.keys(repository.config.remotes);
  if (chosen === undefined) {
    throw new UttrError('unknown-remote', 'this project has no remote', {
      hint: 'add one: uttr remote add origin <s3://bucket/prefix or a folder>',
    });
  }
  if (names.includes(chosen)) return chosen;
  throw new UttrError('unknown-remote', `there is no remote "${chosen}"`, { hint: hintFor(chosen, names, 'remotes') });
}

/** Opens a remote and checks its format. @throws unknown-remote, bad-remote, format-too-new, remote-unreachable */
export async function openRemote(repository: Repository, name: string, mode: 'read' | 'write'): Promise<OpenRemote> {
  const config = repository.config.remotes[requireRemote(repository, name)] as RemoteConfig;
  const store = await openConfigured(repository, config);
  try {
    await checkStoreFormat(store, mode);
  } catch (error) {
    await store.close();
    throw error;
  }
  return { name, url: config.url, store };
}

async function openConfigured(repository: Repository, config: RemoteConfig): Promise<BlobStore> {
  const known = repository.catalogue.capabilities(config.url);
  const conditionalPut = known === undefined ? undefined : (JSON.parse(known) as StoreProbe).conditionalPut;
  return openStore(absoluteUrl(repository.root, config.url), {
    endpoint: config.endpoint,
    region: config.region,
    conditionalPut,
  });
}

/** A folder named relative to the project means the same wherever the command runs. */
function absoluteUrl(root: string, url: string): string {
  return url.startsWith('./') || url.startsWith('../') ? new URL(url, `file://${root}/`).href : url;
}

export interface AddedRemote {
  readonly name: string;
  readonly url: string;
  readonly conditionalPut: boolean;
  readonly problems: readonly string[];
}

/** Adds a remote to uttr.json after a look at whether it can be used by several people. */
export async function addRemote(repository: Repository, name: string, config: RemoteConfig): Promise<AddedRemote> {
  if (name in repository.config.remotes) {
    throw new UttrError('bad-option', `there is a remote "${name}" already`, {
      hint: `remove it first: uttr remote remove ${name}`,
    });
  }
  const store = await openConfigured(repository, config);
  let probe: StoreProbe;
  try {
    await checkStoreFormat(store, 'read');
    probe = await probeStore(store, repository.random);
    await checkStoreFormat(store, 'write');
  } finally {
    await store.close();
  }
  repository.setConfig(
    await editConfig(repository.root, (value) => {
      const remotes = (value['remotes'] ??= {}) as Record<string, unknown>;
      remotes[name] = Object.fromEntries(Object.entries(config).filter(([, setting]) => setting !== undefined));
    }),
  );
  repository.catalogue.transaction(() => {
    repository.catalogue.forgetRemote(config.url);
    repository.catalogue.setCapabilities(config.url, JSON.stringify(probe));
  });
  return { name, url: config.url, conditionalPut: probe.conditionalPut, problems: probe.problems };
}

/** Takes a remote out of uttr.json; nothing on it is touched. */
export async function removeRemote(repository: Repository, name: string): Promise<void> {
  requireRemote(repository, name);
  repository.setConfig(
    await editConfig(repository.root, (value) => {
      const remotes = value['remotes'] as Record<string, unknown>;
      delete remotes[name];
    }),
  );
}
