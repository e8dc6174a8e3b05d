/** Section 15 of docs/format.md quotes the invariants of the module headers: all of them, and no others. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withInvariants } from '../../scripts/invariants/quote.ts';
import { PAGE } from './page.ts';

test('every invariant is on the page, word for word, and no other (write it anew: node scripts/invariants.ts)', () => {
  expect(withInvariants(PAGE, join(import.meta.dirname, '../..'))).toBe(PAGE);
});
