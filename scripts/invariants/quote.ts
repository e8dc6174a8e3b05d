/** Collects the invariants that the module headers state, as docs/format.md quotes them. */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/** What each letter numbers, in the order of the page. */
const SERIES: Readonly<Record<string, string>> = {
  R: 'Records, manifests, pointers',
  T: 'Trees',
  P: 'Packs',
  S: 'The split',
  M: 'Merges',
  H: 'Heads',
  W: 'The working copy',
  G: 'The staged file',
  C: 'The catalogue',
  V: 'Verification',
  E: 'Events',
  F: 'Files of utterances',
  N: 'What is new',
  B: 'Buckets',
  D: 'Durable files',
  L: 'Locks',
};

interface Invariant {
  readonly number: string;
  readonly text: string;
  readonly path: string;
}

/** Section 15 without its heading: a heading for each series, a line for each invariant. */
export function quoteInvariants(root: string): string {
  const all = globSync('src/**/*.ts', { cwd: root })
    .map((path) => path.split(sep).join('/'))
    .flatMap((path) => declaredIn(readFileSync(join(root, path), 'utf8'), path));
  const letters = [...new Set([...Object.keys(SERIES), ...all.map(({ number }) => number.charAt(0))])];
  const parts = letters.map((letter) => {
    const own = all.filter(({ number }) => number.startsWith(letter));
    const sorted = own.toSorted((a, b) => Number(a.number.slice(1)) - Number(b.number.slice(1)));
    const lines = sorted.map(({ number, text, path }) => `- **${number}** ${text} (\`${path}\`)`);
    return lines.length === 0 ? '' : `### ${SERIES[letter] ?? letter}\n\n${lines.join('\n')}\n`;
  });
  return parts.filter((part) => part !== '').join('\n');
}

/** The invariants of one module: from a number at the start of a line to a line that is not indented further. */
function declaredIn(source: string, path: string): Invariant[] {
  const found: { number: string; lines: string[] }[] = [];
  let isOpen = false;
  for (const line of source.split('\n')) {
    const [, number, start] = /^ \* ([A-Z]\d{1,2}) +(\S.*)$/u.exec(line) ?? [];
    const more = /^ \* {3,6}(\S.*)$/u.exec(line)?.[1];
    if (number !== undefined) found.push({ number, lines: [start as string] });
    else if (isOpen && more !== undefined) found.at(-1)?.lines.push(more);
    isOpen = number !== undefined || (isOpen && more !== undefined);
  }
  return found.map(({ number, lines }) => ({ number, text: lines.join(' '), path }));
}

const HEADING = '## 15. Invariants\n';
const INTRODUCTION = `
As the headers of the modules state them. Tests cite the numbers. This section is written by
\`node scripts/invariants.ts\`.

`;

/** The page with section 15 as the modules have it now. */
export function withInvariants(page: string, root: string): string {
  const start = page.indexOf(HEADING);
  if (start < 0) throw new Error(`docs/format.md has no heading "${HEADING.trim()}"`);
  return page.slice(0, start) + HEADING + INTRODUCTION + quoteInvariants(root);
}
