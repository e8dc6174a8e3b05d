/**
 * Oxen, as it comes from PyPI: a library for Python. It sends to a server of its own, which no package has, so what it
 * does alone is compared.
 */
import { cachePath } from '../../cache.ts';
import { FILE, placeFile } from './git.ts';
import { fromPyPI, versionOf } from './install.ts';
import type { Command, Peer } from './peer.ts';

const VERSION = '0.65.1';

export function oxen(): Peer {
  const python = fromPyPI('python', [`oxenai==${VERSION}`]);
  const script = (...lines: readonly string[]): Command => ({
    args: [python, '-c', ['import oxen', ...lines].join('\n')],
  });
  versionOf(python, '-c', 'import oxen; print("0.0")');
  return {
    name: 'oxen (sends nothing)',
    version: VERSION,
    remotes: ['folder'],
    environment: { OXEN_CONFIG_DIR: cachePath('oxen-config') },
    create: () => [script('oxen.user.config_user("Bench", "bench@example.org")', 'oxen.init(".")')],
    place: placeFile,
    record: () => [script('repo = oxen.Repo(".")', `repo.add("${FILE}")`, 'repo.commit("a state")')],
    push: () => [],
    status: () => [script('print(oxen.Repo(".").status())')],
    write: () => ({
      before: [{ args: ['rm', '-f', FILE] }],
      measured: [script(`oxen.Repo(".").restore("${FILE}")`)],
    }),
  };
}
