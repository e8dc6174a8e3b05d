/** The programs that uttr is compared with. */
import { dvc, dvcShards } from './dvc.ts';
import { gitLfs, plainGit } from './git.ts';
import { Absent } from './install.ts';
import { oxen } from './oxen.ts';
import type { Peer } from './peer.ts';
import { restic } from './restic.ts';

const PEERS: Readonly<Record<string, readonly (() => Peer)[]>> = {
  dvc: [dvc, dvcShards],
  git: [plainGit],
  'git-lfs': [gitLfs],
  restic: [restic],
  oxen: [oxen],
  dolt: [noDolt],
};

export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

/** @throws Absent */
function noDolt(): never {
  throw new Absent(
    'the only release of its Go module, v0.40.4, has replace directives, with which `go install` takes none',
  );
}

/** Those that are there; `tell` hears of those that are not. @throws RangeError for a name that nobody has */
export function findPeers(names: readonly string[], tell: (text: string) => void): readonly Peer[] {
  return names.flatMap((name) => {
    const makers = PEERS[name];
    if (makers === undefined) throw new RangeError(`no peer is called ${name}: ${PEER_NAMES.join(', ')}`);
    try {
      return makers.map((make) => make());
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      tell(`${name} is absent: ${error.message}`);
      return [];
    }
  });
}
