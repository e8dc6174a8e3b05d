import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

/** Letters, digits, `-`, `_`, `.` and `/`; nothing that could be taken for a hash, HEAD or a step back. */
const TAG_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/u;
const LIKE_A_HASH = /^[0-9a-f]{6,64}$/u;

/** Gives a version a name that stays. @throws bad-tag-name, tag-exists */
export function addTag(repository: Repository, name: string, version: Version, force: boolean): void {
  if (!TAG_NAME.test(name) || LIKE_A_HASH.test(name) || name === 'HEAD' || name.includes('..')) {
    throw new UttrError('bad-tag-name', `${JSON.stringify(name.slice(0, 120))} is no name for a tag`, {
      hint: 'use letters, digits, "-", "_", "." and "/", not a word that could be a hash, such as v1.0',
    });
  }
  const { dataset } = version.manifest;
  const { catalogue } = repository;
  catalogue.transaction(() => {
    const there = catalogue.tag(dataset, name);
    if (there !== undefined && there !== version.hash && !force) {
      throw new UttrError('tag-exists', `tag "${name}" of ${dataset} names ${there.slice(0, 12)} already`, {
        hint: 'choose another name, or move it with --force',
      });
    }
    catalogue.setTag(dataset, name, version.hash);
  });
}

/** @throws unknown-version */
export function removeTag(repository: Repository, dataset: string, name: string): void {
  if (repository.catalogue.tag(dataset, name) === undefined) {
    throw new UttrError('unknown-version', `${dataset} has no tag "${name}"`);
  }
  repository.catalogue.transaction(() => repository.catalogue.deleteTag(dataset, name));
}

export function listTags(repository: Repository, dataset: string): { readonly name: string; readonly version: Hash }[] {
  repository.dataset(dataset);
  return repository.catalogue.tags(dataset);
}
