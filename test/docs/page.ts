/** The examples, lists and tables of docs/format.md, as the tests beside this file read them. */
import { readFileSync } from 'node:fs';

export const PAGE = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8');

/** What follows `<!-- example: NAME … -->`: the text of the fenced block, or the lines of the table. */
export function example(name: string): string {
  return exampleWith(name).text;
}

/** An example together with the words behind its name: a hash, a path. */
export function exampleWith(name: string): { readonly text: string; readonly argument: string } {
  const start = new RegExp(`^<!-- example: ${name.replaceAll('.', '\\.')}(?: (?<argument>\\S+))? -->\\n`, 'mu').exec(
    PAGE,
  );
  if (start === null) throw new Error(`docs/format.md has no example "${name}"`);
  const rest = PAGE.slice(start.index + start[0].length);
  const fence = /^```\w+\n(?<text>[\s\S]*?)^```$/mu.exec(rest);
  const isTable = rest.startsWith('|');
  const text = isTable ? rest.slice(0, rest.indexOf('\n\n') + 1) : (fence?.groups?.['text'] ?? '');
  return { text, argument: start.groups?.['argument'] ?? '' };
}

/** An example whose TABs are printed as arrows. */
export function withTabs(text: string): string {
  return text.replaceAll('→', '\t');
}

/** An example of one JSON value a line. */
export function jsonLines<T>(name: string): T[] {
  return example(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Cells of a table, without its first two lines. */
export function tableRows(name: string): string[][] {
  return example(name)
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** The 64 weights of section 5.3. */
export const WEIGHTS: readonly number[] = tableRows('weights').flatMap((row) => row.slice(1).map(Number));

function codePoints(name: string): string {
  return String.fromCodePoint(
    ...example(name)
      .trim()
      .split(/\s+/u)
      .map((code) => Number.parseInt(code, 16)),
  );
}

export const WHITESPACE = codePoints('whitespace');
export const APOSTROPHES = codePoints('apostrophes');

/** Text of docs/format.md from one heading to the next of the same or a higher level. */
export function section(heading: string): string {
  const start = PAGE.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`docs/format.md has no heading "${heading}"`);
  const level = heading.split(' ')[0] as string;
  const rest = PAGE.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'mu'));
  return end < 0 ? rest : rest.slice(0, end);
}
