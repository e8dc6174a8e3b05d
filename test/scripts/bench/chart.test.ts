import { expect, test } from 'vitest';
import { barChart } from '../../../scripts/bench/chart.ts';

const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect [^>]*width="(?<width>[\d.]+)"/gu)].map((match) => Number(match.groups?.['width']));

test('bars grow with the logarithm of what they show, and all groups have one scale', () => {
  const bar = (value: number): { label: string; value: number; text: string } => ({ label: 'x', value, text: 'y' });
  const svg = barChart('all', [
    { title: 'one', bars: [bar(10), bar(100)] },
    { title: 'two', bars: [bar(1000), bar(10)] },
  ]);
  const [a, b, c, d] = widths(svg) as [number, number, number, number];
  expect(a).toBeGreaterThan(0);
  expect(b - a).toBeCloseTo(c - b, 0);
  expect(d).toBe(a);
});

test('a single bar is drawn, and names are escaped', () => {
  const svg = barChart('a & b', [{ title: '1 < 2', bars: [{ label: '<x>', value: 5, text: '5 ms' }] }]);
  expect(widths(svg)).toHaveLength(1);
  expect(widths(svg)[0]).toBeGreaterThan(0);
  expect(svg).toContain('<title>a &amp; b</title>');
  expect(svg).toContain('&lt;x&gt;');
  expect(svg).not.toContain('<x>');
});

test('a chart of nothing is refused', () => {
  expect(() => barChart('none', [])).toThrow(RangeError);
});
