/**
 * The report of a batch as one page: nothing is loaded from anywhere, and the page says so to the browser.
 *
 * Filters by effect and by problem are rules of style alone, so they work where scripts do not; searching is a script,
 * and its box shows only where that runs. Texts are escaped, each is shown in its own direction, and what nobody would
 * see in them is named. Of a large batch only the rows that say something are on the page, and how many are not.
 */
import { hash } from 'node:crypto';
import { throwIfAborted } from '../base/errors.ts';
import { showInvisible } from '../records/invisible.ts';
import type { BatchEffect, BatchReport, BatchReportRow } from './batch-report.ts';
import { escapeHtml, PAGE_STYLE } from './markup.ts';
import { SEARCH_SCRIPT } from './search-script.ts';
import { type ShownRows, selectRows } from './shown-rows.ts';

const EFFECTS: Readonly<Record<BatchEffect, string>> = {
  new: 'a new record',
  unchanged: 'was there already',
  relabelled: 'the label of a record changes',
  updated: 'other fields of a record change',
  conflict: 'the text has another label',
  duplicate: 'occurs in the batch before',
  rejected: 'no record can be made of it',
  removed: 'the record is taken away',
};

const ROWS_A_PIECE = 500;

const STYLE = [
  PAGE_STYLE,
  'h1{font-size:1.5rem;margin-bottom:0}',
  'dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem}dt{opacity:.75;font-size:.9em}dd{margin:0;font-size:1.25rem}',
  'fieldset{border:1px solid #8886;border-radius:.4rem;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;align-items:center;margin:1rem 0}',
  'input[type=search]{font:inherit;padding:.2rem .4rem;min-width:16rem}',
  ':focus-visible{outline:3px solid #48f;outline-offset:2px}',
  'th{position:sticky;top:0;background:Canvas}',
  '.text{white-space:pre-wrap;overflow-wrap:anywhere}.place{overflow-wrap:anywhere;font-size:.9em;min-width:9em}#rows th:last-child{min-width:14em}',
  '.problem td{background:#fa02}.problem td:first-child{box-shadow:inset .25rem 0 #d80}',
  'mark{font:.75em ui-monospace,monospace;background:#c8f;color:#000;padding:0 .2em;border-radius:.2em}',
  'tr[hidden],body:has(#only-problems:checked) #rows tbody tr:not(.problem){display:none}',
  ...Object.keys(EFFECTS).map(
    (effect) => `body:has(#effect-${effect}:not(:checked)) #rows tbody tr[data-effect=${effect}]{display:none}`,
  ),
].join('\n');

/** Only this style and this script count: whatever a text might smuggle in does nothing, and nothing is loaded. */
const POLICY = `default-src 'none'; style-src '${digestOf(STYLE)}'; script-src '${digestOf(SEARCH_SCRIPT)}'; base-uri 'none'; form-action 'none'`;

function digestOf(text: string): string {
  return `sha256-${hash('sha256', text, 'base64')}`;
}

/** Writes the page. @throws aborted */
export async function* batchPage(report: BatchReport, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const rows = await selectRows(report.rows, signal);
  yield Buffer.from(headPart(report));
  yield Buffer.from(totalsPart(report));
  yield Buffer.from(filterPart(rows));
  for (let from = 0; from < rows.shown.length; from += ROWS_A_PIECE) {
    throwIfAborted(signal);
    yield Buffer.from(
      rows.shown
        .slice(from, from + ROWS_A_PIECE)
        .map((row) => rowPart(row))
        .join(''),
    );
  }
  yield Buffer.from(`</tbody></table>\n</main>\n<script>${SEARCH_SCRIPT}</script>\n</body></html>\n`);
}

function headPart({ title, dataset }: BatchReport): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<title>${visible(title, plainMark)}</title>
<style>${STYLE}</style></head><body><main>
<h1><bdi>${visible(title)}</bdi></h1>
<p>Dataset <b><bdi>${visible(dataset)}</bdi></b></p>
`;
}

function totalsPart({ counts, intents }: BatchReport): string {
  const totals = Object.entries(counts).map(
    ([name, total]) => `<div><dt>${visible(name)}</dt><dd>${grouped(total)}</dd></div>`,
  );
  const lines = intents.map(({ intent, before, after }) => {
    const change = after - before;
    return `<tr><td dir="auto">${visible(intent)}${before === 0 && after > 0 ? ' <i>(new)</i>' : ''}</td><td class="n">${grouped(before)}</td><td class="n">${grouped(after)}</td><td class="n">${change > 0 ? '+' : ''}${grouped(change)}</td></tr>`;
  });
  const table =
    lines.length === 0
      ? ''
      : `<details><summary>${grouped(lines.length)} ${lines.length === 1 ? 'intent' : 'intents'}, before and after</summary>
<table><thead><tr><th scope="col">intent</th><th scope="col" class="n">before</th><th scope="col" class="n">after</th><th scope="col" class="n">change</th></tr></thead><tbody>
${lines.join('\n')}
</tbody></table></details>
`;
  return `<dl>${totals.join('')}</dl>\n${table}`;
}

function filterPart({ shown, total, problems, effects }: ShownRows): string {
  const boxes = [...effects].map(
    ([effect, count]) =>
      `<label title="${EFFECTS[effect]}"><input type="checkbox" id="effect-${effect}" checked> ${effect} (${grouped(count)})</label>`,
  );
  const left = total - shown.length;
  const note =
    left === 0
      ? ''
      : `<p><b>${grouped(left)} of ${grouped(total)} rows are not on this page:</b> of a large batch it shows rows with a problem or a change, as far as there is room. A report in a workbook (.xlsx) has them all.</p>\n`;
  return `<form><fieldset><legend>Rows to show</legend>
<label><input type="checkbox" id="only-problems"${problems > 0 ? ' checked' : ''}> only problems (${grouped(problems)})</label>
${boxes.join('\n')}
<label id="search" hidden>search <input type="search" autocomplete="off"></label>
<output id="shown" aria-live="polite"></output>
</fieldset></form>
${note}<table id="rows"><thead><tr><th scope="col">place</th><th scope="col">text</th><th scope="col">intent</th><th scope="col">effect</th><th scope="col">problem</th></tr></thead><tbody>
`;
}

function rowPart({ place, text, intent, effect, problem }: BatchReportRow): string {
  const kind = problem === '' ? '' : ' class="problem"';
  return `<tr data-effect="${effect}"${kind}><td class="place">${visible(place)}</td><td class="text" dir="auto">${visible(text)}</td><td dir="auto">${visible(intent)}</td><td>${effect}</td><td dir="auto">${visible(problem)}</td></tr>\n`;
}

type Mark = Parameters<Parameters<typeof showInvisible>[1]>[0];

/** A text for the page: escaped, with the invisible named. */
function visible(text: string, mark = shownMark): string {
  return showInvisible(text, mark, escapeHtml);
}

function shownMark({ code, name }: Mark): string {
  return `<mark dir="ltr" title="${name}">${code}</mark>`;
}

function plainMark({ code }: Mark): string {
  return escapeHtml(`<${code}>`);
}

const NUMBERS = new Intl.NumberFormat('en');

function grouped(count: number): string {
  return NUMBERS.format(count);
}
