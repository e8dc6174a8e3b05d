/** The package as it is published, built beside the sources, so that what is measured stays the same while they change. */
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from '../build-package.ts';

/** Builds the package at `root` into a folder and returns what runs its command. */
export async function placePackage(root: string, folder: string): Promise<readonly string[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await buildPackage(root, join(folder, 'dist'));
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return [process.execPath, join(folder, 'dist', 'cli', 'main.js')];
}
