/**
 * The measured parts of docs/performance.md: each between `<!-- bench NAME -->` and `<!-- /bench NAME -->`.
 * What stands around them is written by hand and stays.
 */

/** The part for a table: what was measured on real data never takes the place of the rest. */
export function partFor(name: string, isReal: boolean): string {
  return isReal ? `${name}-real` : name;
}

/** The page with the part `name` replaced. @throws Error when the page has no such part, or more than one */
export function withPart(page: string, name: string, content: string): string {
  const start = `<!-- bench ${name} -->\n`;
  const end = `<!-- /bench ${name} -->`;
  const parts = page.split(start);
  const [before, rest] = parts;
  const at = rest?.indexOf(end) ?? -1;
  if (parts.length !== 2 || rest === undefined || at < 0) throw new Error(`the page needs one part "bench ${name}"`);
  return `${before}${start}\n${content.trim()}\n\n${rest.slice(at)}`;
}

/** Names of the parts of a page, in their order. */
export function partsOf(page: string): readonly string[] {
  return [...page.matchAll(/^<!-- bench (?<name>\S+) -->$/gmu)].map((match) => match.groups?.['name'] as string);
}
