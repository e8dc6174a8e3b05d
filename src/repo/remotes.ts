/**
 * Remotes: opening them, adding them, what they are known to be able to do.
 */
import { UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { type StoreProbe, probeStore } from '../store/probe.ts';
import { parseConfig, type RemoteConfig } from './config.ts';
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
  const known = repository.catalogue.remotes.capabilities(config.url);
  const conditionalPut = known === undefined ? undefined : (JSON.parse(known) as StoreProbe).conditionalPut;
  const store = await openConfigured(repository, config, conditionalPut);
  try {
    await checkStoreFormat(store, mode);
  } catch (error) {
    await store.close();
    throw error;
  }
  return { name, url: config.url, store };
}

async function openConfigured(
  repository: Repository,
  config: RemoteConfig,
  conditionalPut: boolean | undefined,
): Promise<BlobStore> {
  return repository.openStore(absoluteUrl(repository.root, config.url), {
    endpoint: config.endpoint ?? environmentEndpoint(repository),
    region: config.region,
    insecure: config.insecure,
    conditionalPut,
  });
}

/** The variables that the AWS tools read, so that one setting serves both; uttr.json goes before them. */
function environmentEndpoint({ environment }: Repository): string | undefined {
  const { AWS_ENDPOINT_URL_S3: ofS3, AWS_ENDPOINT_URL: ofAll } = environment;
  return [ofS3, ofAll].find((endpoint) => endpoint !== undefined && endpoint !== '');
}

/** A folder named relative to the project means the same wherever the command runs. */
function absoluteUrl(root: string, url: string): string {
  return url.startsWith('./') || url.startsWith('../') ? new URL(url, `file://${root}/`).href : url;
}

export interface AddedRemote {
  readonly name: string;
  readonly url: string;
  /** Whether several people may push to it at the same time. */
  readonly conditionalPut: boolean;
  readonly problems: readonly string[];
}

/** Adds a remote to uttr.json after a look at whether it can be used by several people. @throws bad-option, bad-config */
export async function addRemote(repository: Repository, name: string, config: RemoteConfig): Promise<AddedRemote> {
  if (name in repository.config.remotes) {
    throw new UttrError('bad-option', `there is a remote "${name}" already`, {
      hint: `remove it first: uttr remote remove ${name}`,
    });
  }
  const settings = Object.fromEntries(Object.entries(config).filter(([, setting]) => setting !== undefined));
  // What the file would refuse is refused before anything is sent: credentials in an address, a bad name.
  parseConfig(JSON.stringify({ uttr: 1, remotes: { [name]: settings } }));
  const probe = await probeRemote(repository, config);
  repository.setConfig(
    await editConfig(repository.root, (value) => {
      const remotes = (value['remotes'] ??= {}) as Record<string, unknown>;
      remotes[name] = settings;
    }),
  );
  repository.catalogue.transaction(() => {
    repository.catalogue.remotes.forget(config.url);
    repository.catalogue.remotes.setCapabilities(config.url, JSON.stringify(probe));
  });
  return { name, url: config.url, conditionalPut: probe.conditionalPut, problems: probe.problems };
}

/** Finds out anew what a remote can do, and remembers it on this machine. @throws unknown-remote */
export async function checkRemote(repository: Repository, named: string | undefined): Promise<AddedRemote> {
  const name = requireRemote(repository, named);
  const config = repository.config.remotes[name] as RemoteConfig;
  const probe = await probeRemote(repository, config);
  repository.catalogue.transaction(() =>
    repository.catalogue.remotes.setCapabilities(config.url, JSON.stringify(probe)),
  );
  return { name, url: config.url, conditionalPut: probe.conditionalPut, problems: probe.problems };
}

async function probeRemote(repository: Repository, config: RemoteConfig): Promise<StoreProbe> {
  const store = await openConfigured(repository, config, undefined);
  try {
    await checkStoreFormat(store, 'read');
    const probe = await probeStore(store, repository.random, { signal: repository.signal });
    await checkStoreFormat(store, 'write');
    return probe;
  } finally {
    await store.close();
  }
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
