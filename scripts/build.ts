/**
 * Builds the package into dist/. Development needs no build, since Node runs the sources; this is for `npm pack` and for
 * whoever imports the library.
 */
import { join } from 'node:path';
import { buildPackage } from './build-package.ts';

const root = join(import.meta.dirname, '..');
await buildPackage(root, join(root, 'dist'));
