/** Runs docs/recover.sh, where the tools it needs are here. */
import { spawnSync } from 'node:child_process';

const SCRIPT = new URL('../../docs/recover.sh', import.meta.url).pathname;
const TOOLS = ['bash', 'zstd', 'jq', 'sha256sum', 'od'];

/** Tools that recovery needs and this machine lacks. */
export const absent: readonly string[] = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);

/** Behind a title: why its tests are skipped. */
export const whySkipped = absent.length === 0 ? '' : ` (skipped: there is no ${absent.join(', ')})`;

export function recover(
  store: string,
  ...words: readonly string[]
): { readonly code: number | null; readonly said: string } {
  const { status, stderr } = spawnSync('bash', [SCRIPT, store, ...words], { encoding: 'utf8' });
  return { code: status, said: stderr };
}
