/**
 * `init`: a folder becomes a uttr project; in a git work tree the drivers are installed too.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UttrError } from '../base/errors.ts';
import { fileError, writeDurably } from '../store/durable-file.ts';
import { CONFIG_FILE, parseConfig } from './config.ts';
import { ensureLine } from './ensure-line.ts';
import { installDrivers } from './git-drivers.ts';
import { Git } from './git.ts';
import { findRoot, LOCAL, MANIFESTS } from './working-copy.ts';

export interface InitSummary {
  readonly root: string;
  readonly created: readonly string[];
  /** Whether git shows and merges pointers by records now. */
  readonly git: boolean;
}

/** Makes `directory` a project; what is there already is kept. @throws bad-config */
export async function init(directory: string, remoteUrl?: string): Promise<InitSummary> {
  const root = resolve(directory);
  const above = findRoot(root);
  if (above !== undefined && above !== root) {
    throw new UttrError('bad-config', `${root} lies inside the uttr project ${above}`, {
      hint: `work in ${above}, or choose a folder outside it`,
    });
  }
  const created: string[] = [];
  try {
    await mkdir(join(root, MANIFESTS), { recursive: true });
    await mkdir(join(root, LOCAL), { recursive: true });
    if (!existsSync(join(root, CONFIG_FILE))) {
      const remotes = remoteUrl === undefined ? {} : { origin: { url: remoteUrl } };
      const text = `${JSON.stringify({ uttr: 1, remotes, datasets: {} }, null, 2)}\n`;
      parseConfig(text);
      await writeDurably(join(root, CONFIG_FILE), Buffer.from(text));
      created.push(CONFIG_FILE);
    }
    // The folder keeps itself out of git, also where the project has no .gitignore.
    const ignore = join(root, LOCAL, '.gitignore');
    if (!existsSync(ignore)) {
      await writeFile(ignore, '*\n');
      created.push(`${LOCAL}/`);
    }
    if (await ensureLine(join(root, '.gitignore'), `/${LOCAL}/`)) created.push('.gitignore');
  } catch (error) {
    throw error instanceof UttrError ? error : fileError(error, 'write', root);
  }
  const git = await installDrivers(root, new Git(root));
  if (git.attributesWritten) created.push('.gitattributes');
  return { root, created, git: git.installed };
}
