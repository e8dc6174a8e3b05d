/** Writes section 15 of docs/format.md anew from the headers of the modules: `node scripts/invariants.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withInvariants } from './invariants/quote.ts';

const root = join(import.meta.dirname, '..');
const path = join(root, 'docs/format.md');
writeFileSync(path, withInvariants(readFileSync(path, 'utf8'), root));
