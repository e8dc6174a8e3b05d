import { createHash } from 'node:crypto';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { describe, expect, test } from 'vitest';
import { batchPage } from '../../src/report/batch-page.ts';
import type { BatchReport } from '../../src/report/batch-report.ts';
import { SHOWN_LIMIT } from '../../src/report/shown-rows.ts';
import { bytesOf, reportOf, reportRow } from './support.ts';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

async function pageOf(report: BatchReport): Promise<{ elements: Element[]; errors: string[]; html: string }> {
  const html = (await bytesOf(batchPage(report))).toString();
  const errors: string[] = [];
  const document = parse(html, { onParseError: ({ code }) => errors.push(code) });
  return { elements: elementsOf(document), errors, html };
}

function elementsOf(node: Node): Element[] {
  const children = 'childNodes' in node ? node.childNodes.flatMap((child) => elementsOf(child)) : [];
  return 'tagName' in node ? [node, ...children] : children;
}

function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map((child) => textOf(child)).join('') : '';
}

const attribute = (element: Element, name: string): string | undefined =>
  element.attrs.find((each) => each.name === name)?.value;

/** The cells of the rows that the page lists. */
function listed(elements: readonly Element[]): string[][] {
  return elements
    .filter((element) => attribute(element, 'data-effect') !== undefined)
    .map((row) => elementsOf(row).filter(({ tagName }) => tagName === 'td'))
    .map((cells) => cells.map((cell) => textOf(cell)));
}

const ODD = [
  '<script>alert(1)</script>',
  '<img src=x onerror="alert(1)">',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '</td></table></main><iframe src="https://example.org">',
  '&lt;b&gt; &amp;',
  '<!-- --> <![CDATA[x]]> </style></title></textarea>',
];

describe('the page of a batch', () => {
  test('is well-formed, and its rows are in the order of the file', async () => {
    const rows = [
      reportRow(),
      reportRow({ row: 2, place: 'Sheet1!C17', text: 'bye', intent: 'a + b', effect: 'conflict', problem: 'has "b"' }),
    ];
    const { elements, errors } = await pageOf(reportOf(rows));
    expect(errors).toEqual([]);
    expect(listed(elements)).toEqual([
      ['batch.csv:2', 'hello', 'greet', 'new', ''],
      ['Sheet1!C17', 'bye', 'a + b', 'conflict', 'has "b"'],
    ]);
  });

  test('shows markup in the data as text, wherever it stands', async () => {
    const rows = ODD.map((odd) => reportRow({ text: odd, intent: odd, problem: odd, place: odd }));
    const report = reportOf(rows, {
      title: ODD.join(' '),
      dataset: ODD.join(' '),
      counts: Object.fromEntries(ODD.map((odd) => [odd, 1])),
      intents: ODD.map((intent) => ({ intent, before: 0, after: 1 })),
    });
    const { elements, errors } = await pageOf(report);
    expect(errors).toEqual([]);
    expect(listed(elements)).toEqual(ODD.map((odd) => [odd, odd, odd, 'new', odd]));
    const plain = (await pageOf(reportOf([reportRow()]))).elements;
    const tags = new Set(plain.map(({ tagName }) => tagName));
    expect(elements.filter(({ tagName }) => !['i', ...tags].includes(tagName))).toEqual([]);
    expect(elements.filter(({ tagName }) => tagName === 'script')).toHaveLength(1);
    expect(elements.flatMap(({ attrs }) => attrs).filter(({ name }) => name.startsWith('on'))).toEqual([]);
    const title = elements.find(({ tagName }) => tagName === 'title') as Element;
    expect(textOf(title)).toBe(ODD.join(' '));
  });

  test('loads nothing, and lets only its own script and style count', async () => {
    const { elements } = await pageOf(reportOf([reportRow({ text: 'see https://example.org' })]));
    const names = elements.flatMap(({ attrs }) => attrs.map(({ name }) => name));
    expect(names.filter((name) => ['src', 'href', 'srcset', 'action', 'style'].includes(name))).toEqual([]);
    const policy = elements.map((element) => attribute(element, 'content')).find((content) => content?.includes('src'));
    for (const tag of ['script', 'style']) {
      const own = elements.filter(({ tagName }) => tagName === tag);
      const digest = createHash('sha256')
        .update(textOf(own[0] as Element))
        .digest('base64');
      expect(own).toHaveLength(1);
      expect(policy).toContain(`${tag}-src 'sha256-${digest}'`);
    }
    expect(policy).toContain("default-src 'none'");
  });

  test('names what nobody would see, and shows each text in its own direction', async () => {
    const rows = [reportRow({ text: 'a\u202eb\u200bc', intent: 'שלום' }), reportRow({ text: 'می‌خواهم 👩‍👧' })];
    const { elements, html } = await pageOf(reportOf(rows));
    expect(listed(elements).map(([, text]) => text)).toEqual(['aU+202EbU+200Bc', 'می‌خواهم 👩‍👧']);
    expect(html).toContain('<mark dir="ltr" title="writing direction">U+202E</mark>');
    expect(html).not.toContain('\u202e');
    const cells = elements.filter((element) => attribute(element, 'class') === 'text');
    expect(cells.map((cell) => attribute(cell, 'dir'))).toEqual(['auto', 'auto']);
  });

  test('has a box for each effect of the batch, and begins with the problems where there are any', async () => {
    const boxes = async (rows: Parameters<typeof reportOf>[0]): Promise<string[]> => {
      const { elements } = await pageOf(reportOf(rows));
      const inputs = elements.filter((element) => attribute(element, 'type') === 'checkbox');
      return inputs.map((box) => `${attribute(box, 'id')}${attribute(box, 'checked') === undefined ? '' : ' on'}`);
    };
    expect(await boxes([reportRow(), reportRow({ effect: 'rejected', problem: 'no text' })])).toEqual([
      'only-problems on',
      'effect-new on',
      'effect-rejected on',
    ]);
    expect(await boxes([reportRow({ effect: 'removed' })])).toEqual(['only-problems', 'effect-removed on']);
  });

  test('filters hide rows of the batch, never the names of the columns', async () => {
    const { elements } = await pageOf(reportOf([reportRow()]));
    const style = textOf(elements.find(({ tagName }) => tagName === 'style') as Element);
    const hiding = style.split('\n').filter((rule) => rule.includes(':has('));
    expect(hiding).toHaveLength(9);
    expect(hiding.filter((rule) => !/ #rows tbody tr(?::not|\[)[^ ]*\{display:none\}$/u.test(rule))).toEqual([]);
  });

  test('leaves out rows of a large batch that say nothing, and says how many', async () => {
    const rows = Array.from({ length: SHOWN_LIMIT + 10 }, (_, at) =>
      reportRow({ row: at + 1, text: `t${at}`, effect: at % 1000 === 0 ? 'updated' : 'unchanged' }),
    );
    const { elements, errors } = await pageOf(reportOf(rows));
    expect(errors).toEqual([]);
    expect(listed(elements).map(([, text]) => text)).toEqual(Array.from({ length: 11 }, (_, at) => `t${at * 1000}`));
    expect(
      elements
        .filter(({ tagName }) => tagName === 'p')
        .map((note) => textOf(note))
        .join(' '),
    ).toContain('9,999 of 10,010 rows are not on this page');
  });
});
