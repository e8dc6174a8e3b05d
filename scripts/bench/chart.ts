/** Bars as SVG, on a logarithmic scale: programs differ by more than a linear one could show. */

export interface Bar {
  readonly label: string;
  /** Above 0. */
  readonly value: number;
  /** What stands behind the bar. */
  readonly text: string;
}

export interface BarGroup {
  readonly title: string;
  /** The first one is our own. */
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABEL_WIDTH = 190;
const TEXT_WIDTH = 80;
const ROW_HEIGHT = 20;
const BAR_HEIGHT = 13;
const TITLE_HEIGHT = 30;
const BASELINE = 10.5;
/** Readable on a light page and on a dark one. */
const OWN_COLOUR = '#1a7f64';
const OTHER_COLOUR = '#8c959f';
const TEXT_COLOUR = '#59636e';

/** A picture with a group below the other, all on one scale. */
export function barChart(title: string, groups: readonly BarGroup[]): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  if (values.length === 0) throw new RangeError('a chart needs a bar');
  // The shortest bar can still be seen.
  const low = Math.log(Math.min(...values)) - 0.5;
  const high = Math.log(Math.max(...values));
  const length = (value: number): number =>
    ((Math.log(value) - low) / Math.max(high - low, 0.5)) * (WIDTH - LABEL_WIDTH - TEXT_WIDTH);
  const parts: string[] = [];
  let y = 0;
  for (const group of groups) {
    y += TITLE_HEIGHT;
    parts.push(`<text x="0" y="${y - 8}" font-weight="600">${escaped(group.title)}</text>`);
    for (const [position, { label, value, text }] of group.bars.entries()) {
      const width = length(value);
      const colour = position === 0 ? OWN_COLOUR : OTHER_COLOUR;
      parts.push(
        `<text x="${LABEL_WIDTH - 8}" y="${y + BASELINE}" text-anchor="end">${escaped(label)}</text>`,
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${colour}"/>`,
        `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${y + BASELINE}">${escaped(text)}</text>`,
      );
      y += ROW_HEIGHT;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<g font-family="system-ui, sans-serif" font-size="12" fill="${TEXT_COLOUR}">`,
    ...parts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
