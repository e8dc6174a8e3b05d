/**
 * A check report for people: text with colours, Markdown, HTML.
 */
import type { CheckResult, Finding } from '../checks/run.ts';
import type { VersionCheck } from '../repo/check.ts';
import { cell, escapeHtml, PAGE_STYLE } from '../report/markup.ts';
import { oneLine, plural, type Reporter, thousands } from './reporter.ts';
import { short } from './words.ts';

/** Records named beneath one finding. */
const SHOWN_RECORDS = 4;

export const COLOURS = { error: 'red', warn: 'yellow', info: 'cyan' } as const;

/** `2 errors, 1 warning`; `nothing found`. */
export function countWords(counts: Pick<CheckResult, 'error' | 'warn' | 'info' | 'waived'>): string {
  const words = [
    counts.error > 0 ? plural(counts.error, 'error') : '',
    counts.warn > 0 ? plural(counts.warn, 'warning') : '',
    counts.info > 0 ? plural(counts.info, 'note') : '',
    counts.waived > 0 ? `${thousands(counts.waived)} waived` : '',
  ].filter((word) => word !== '');
  return words.length === 0 ? 'nothing found' : words.join(', ');
}

function headline(report: VersionCheck): string {
  return `${report.dataset}@${short(report.version)}: ${countWords(report.counts)} in ${plural(report.records, 'record')}`;
}

/** The findings of a check that are shown: those that count first. */
function shownFindings({ findings }: VersionCheck, check: string, limit: number): readonly Finding[] {
  const own = findings.filter((finding) => finding.check === check);
  return [
    ...own.filter(({ waived, severity }) => waived === null && severity === 'error'),
    ...own.filter(({ waived, severity }) => waived === null && severity !== 'error'),
    ...own.filter(({ waived }) => waived !== null),
  ].slice(0, limit);
}

function foundCount({ error, warn, info, waived }: CheckResult): number {
  return error + warn + info + waived;
}

/** Checks that have something to say. */
function telling(report: VersionCheck): readonly CheckResult[] {
  return report.checks.filter((result) => foundCount(result) > 0 || result.unusedWaivers.length > 0);
}

export function checkText(report: VersionCheck, reporter: Pick<Reporter, 'style'>, limit: number): string {
  const lines = [reporter.style('bold', headline(report))];
  for (const result of telling(report)) {
    lines.push('', `${reporter.style('bold', result.check)}: ${countWords(result)} (${result.title})`);
    const shown = shownFindings(report, result.check, limit);
    let hint = '';
    for (const finding of shown) {
      lines.push(...findingLines(finding, reporter));
      if (finding.hint !== hint && finding.waived === null) lines.push(reporter.style('dim', `    → ${finding.hint}`));
      hint = finding.hint;
    }
    const more = foundCount(result) - shown.length;
    if (more > 0) lines.push(reporter.style('dim', `  … ${thousands(more)} more (--limit shows more, --json all)`));
    for (const waiver of result.unusedWaivers) {
      lines.push(`  a waiver by ${oneLine(waiver.by, 60)} waives nothing (${oneLine(waiver.why, 100)}): remove it`);
    }
  }
  return lines.join('\n');
}

function findingLines(finding: Finding, reporter: Pick<Reporter, 'style'>): string[] {
  const mark =
    finding.waived === null
      ? reporter.style(COLOURS[finding.severity], finding.severity.padEnd(5))
      : reporter.style('dim', 'waived');
  const lines = [`  ${mark} ${oneLine(finding.message, 300)}  ${reporter.style('dim', `[${finding.id}]`)}`];
  for (const { text, intent, side } of finding.records.slice(0, SHOWN_RECORDS)) {
    lines.push(`      ${oneLine(text, 100)}  [${intentWords(intent)}] (${side})`);
  }
  const more = finding.recordCount - Math.min(finding.records.length, SHOWN_RECORDS);
  if (more > 0) lines.push(`      … and ${thousands(more)} more`);
  if (finding.waived !== null) {
    lines.push(`      by ${oneLine(finding.waived.by, 60)}: ${oneLine(finding.waived.why, 200)}`);
  }
  return lines;
}

function intentWords(intent: string | readonly string[] | null): string {
  if (intent === null) return '(none)';
  return oneLine(typeof intent === 'string' ? intent : intent.join(' + '), 80);
}

export function checkMarkdown(report: VersionCheck, limit: number): string {
  const lines = [`### ${report.ok ? '✅' : '❌'} ${cell(headline(report))}`];
  const results = telling(report);
  if (results.length > 0) lines.push('', '| check | errors | warnings | notes | waived |', '|---|---:|---:|---:|---:|');
  for (const { check, error, warn, info, waived } of results) {
    lines.push(`| ${check} | ${error} | ${warn} | ${info} | ${waived} |`);
  }
  for (const result of results) {
    const shown = shownFindings(report, result.check, limit);
    if (shown.length === 0) continue;
    lines.push(
      '',
      `#### ${result.check}: ${result.title}`,
      '',
      '| | finding | records | what to do |',
      '|---|---|---|---|',
    );
    for (const finding of shown) {
      const records = finding.records
        .slice(0, SHOWN_RECORDS)
        .map(({ text, intent, side }) => cell(`${oneLine(text, 100)} [${intentWords(intent)}] (${side})`));
      lines.push(
        `| ${finding.waived === null ? finding.severity : 'waived'} | ${cell(oneLine(finding.message, 300))} | ${records.join('<br>')} | ${cell(oneLine(adviceOf(finding), 300))} |`,
      );
    }
    const more = foundCount(result) - shown.length;
    if (more > 0) lines.push('', `… and ${thousands(more)} more.`);
  }
  return lines.join('\n');
}

function adviceOf({ waived, hint }: Finding): string {
  return waived === null ? hint : `waived by ${waived.by}: ${waived.why}`;
}

/** A page of its own: no scripts, nothing loaded; texts are escaped. */
export function checkHtml(report: VersionCheck, limit: number): string {
  const title = escapeHtml(headline(report));
  const results = telling(report);
  const rows = results.map(
    (result) =>
      `<tr><td><a href="#${result.check}">${result.check}</a></td><td>${escapeHtml(result.title)}</td>${[result.error, result.warn, result.info, result.waived].map((count) => `<td class="n">${thousands(count)}</td>`).join('')}</tr>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${PAGE_STYLE}.error td:first-child{background:#f003}.warn td:first-child{background:#fa03}.waived{opacity:.6}code{font-size:.85em}</style>
<h1>${title}</h1>
<table><thead><tr><th>check</th><th>what it finds</th><th>errors</th><th>warnings</th><th>notes</th><th>waived</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
${results.map((result) => sectionHtml(report, result, limit)).join('\n')}
</html>`;
}

function sectionHtml(report: VersionCheck, result: CheckResult, limit: number): string {
  const shown = shownFindings(report, result.check, limit);
  const rows = shown.map((finding) => {
    const kind = finding.waived === null ? finding.severity : 'waived';
    const records = finding.records
      .slice(0, SHOWN_RECORDS)
      .map(
        ({ text, intent, side }) =>
          `<bdi dir="auto">${escapeHtml(oneLine(text, 200))}</bdi> [${escapeHtml(intentWords(intent))}] (${escapeHtml(side)})`,
      );
    return `<tr class="${kind}"><td>${kind}</td><td>${escapeHtml(oneLine(finding.message, 400))}<br><code>${escapeHtml(finding.id)}</code></td><td>${records.join('<br>')}</td><td>${escapeHtml(oneLine(adviceOf(finding), 300))}</td></tr>`;
  });
  const more = foundCount(result) - shown.length;
  return `<h2 id="${result.check}">${result.check}</h2>
<p>${escapeHtml(result.title)}: ${escapeHtml(countWords(result))}</p>
<table><thead><tr><th></th><th>finding</th><th>records</th><th>what to do</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>${more > 0 ? `\n<p>… and ${thousands(more)} more.</p>` : ''}`;
}
