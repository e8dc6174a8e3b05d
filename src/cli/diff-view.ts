/**
 * A diff for people: text with colours, Markdown, HTML, JSON Lines.
 */
import type { DiffChange, DiffSummary } from '../repo/diff.ts';
import { wordDiff } from '../repo/word-diff.ts';
import { cell, escapeHtml } from '../report/markup.ts';
import { oneLine, type Reporter, thousands } from './reporter.ts';
import { changeWords, short } from './words.ts';

type Style = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string;

export function diffText(diff: DiffSummary, reporter: Pick<Reporter, 'style'>, statOnly: boolean): string {
  const style: Style = (name, text) => reporter.style(name, text);
  const lines = [
    style(
      'bold',
      `${diff.dataset} ${diff.from === null ? '(nothing)' : short(diff.from)} → ${short(diff.to)}: ${changeWords(diff.summary)}`,
    ),
  ];
  for (const [side, counts] of Object.entries(diff.bySide)) lines.push(`  ${side}: ${changeWords(counts)}`);
  const intents = Object.entries(diff.byIntent).sort(([, a], [, b]) => b.added + b.removed - (a.added + a.removed));
  for (const [intent, { added, removed }] of intents.slice(0, statOnly ? intents.length : 10)) {
    lines.push(
      `  ${oneLine(intent, 60)}: ${[added > 0 ? `+${thousands(added)}` : '', removed > 0 ? `−${thousands(removed)}` : ''].filter(Boolean).join(' ')}`,
    );
  }
  if (!statOnly && intents.length > 10) lines.push(`  … ${intents.length - 10} more intents`);
  if (diff.changes.length > 0) lines.push('', ...diff.changes.flatMap((change) => changeLines(change, style)));
  if (!statOnly && diff.truncated) lines.push(style('dim', `… more (--limit shows more, --format jsonl shows all)`));
  return lines.join('\n');
}

function intentOf(record: DiffChange['before']): string {
  const intent = record?.intent;
  if (intent === undefined) return '(none)';
  return oneLine(typeof intent === 'string' ? intent : intent.join(' + '), 80);
}

function changeLines(change: DiffChange, style: Style): string[] {
  const text = oneLine(change.text);
  const side = style('dim', `(${change.side})`);
  switch (change.kind) {
    case 'added':
      return [`${style('green', `+ ${text}`)}  [${intentOf(change.after)}] ${side}`];
    case 'removed':
      return [`${style('red', `- ${text}`)}  [${intentOf(change.before)}] ${side}`];
    case 'relabelled':
      return [
        `${style('yellow', '~')} ${text}  [${style('red', intentOf(change.before))} → ${style('green', intentOf(change.after))}] ${side}`,
      ];
    case 'edited':
      return [`${style('yellow', '~')} ${editedText(change, style)}  [${labelMove(change)}] ${side}`];
    case 'updated':
      return [`${style('yellow', '~')} ${text}  [${intentOf(change.after)}] ${side}`, ...fieldLines(change)];
  }
}

function labelMove(change: DiffChange): string {
  const [before, after] = [intentOf(change.before), intentOf(change.after)];
  return before === after ? after : `${before} → ${after}`;
}

function editedText(change: DiffChange, style: Style): string {
  return wordDiff(change.before?.text ?? '', change.after?.text ?? '')
    .map(({ kind, text }) => {
      const shown = oneLine(text, 400);
      if (kind === 'same') return shown;
      return kind === 'removed' ? style('red', `[-${shown}-]`) : style('green', `{+${shown}+}`);
    })
    .join('');
}

/** Fields other than text and intent that differ, one a line. */
function fieldLines(change: DiffChange): string[] {
  const before = flatten(change.before);
  const after = flatten(change.after);
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map(
      (name) =>
        `    ${oneLine(name, 60)}: ${oneLine(before.get(name) ?? '(none)', 100)} → ${oneLine(after.get(name) ?? '(none)', 100)}`,
    );
}

function flatten(record: DiffChange['before']): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(record ?? {})) {
    if (name === 'features' || name === 'meta') {
      for (const [inner, item] of Object.entries(value as object)) fields.set(`${name}.${inner}`, word(item));
    } else fields.set(name, word(value));
  }
  return fields;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function diffJsonLines(changes: readonly DiffChange[]): string {
  return changes.map((change) => `${JSON.stringify(change)}\n`).join('');
}

const PLAIN: Style = (_, text) => text;

export function diffMarkdown(diff: DiffSummary): string {
  const lines = [
    `### ${diff.dataset}: ${changeWords(diff.summary)}`,
    '',
    `\`${diff.from === null ? 'nothing' : short(diff.from)}\` → \`${short(diff.to)}\``,
    '',
  ];
  const intents = Object.entries(diff.byIntent).sort(([a], [b]) => (a < b ? -1 : 1));
  if (intents.length > 0) {
    lines.push('| intent | added | removed |', '|---|---:|---:|');
    for (const [intent, { added, removed }] of intents) lines.push(`| ${cell(intent)} | ${added} | ${removed} |`);
    lines.push('');
  }
  if (diff.changes.length > 0) {
    lines.push('| | text | label | side |', '|---|---|---|---|');
    for (const change of diff.changes) {
      const text = change.kind === 'edited' ? editedText(change, PLAIN) : oneLine(change.text);
      lines.push(`| ${change.kind} | ${cell(text)} | ${cell(labelOf(change))} | ${change.side} |`);
    }
  }
  if (diff.truncated) lines.push('', '… and more.');
  return lines.join('\n');
}

function labelOf(change: DiffChange): string {
  if (change.kind === 'added') return intentOf(change.after);
  return change.kind === 'removed' ? intentOf(change.before) : labelMove(change);
}

/** A page of its own: no scripts, nothing loaded; texts are escaped. */
export function diffHtml(diff: DiffSummary): string {
  const rows = diff.changes
    .map(
      (change) =>
        `<tr class="${change.kind}"><td>${change.kind}</td><td dir="auto">${change.kind === 'edited' ? editedHtml(change) : escapeHtml(oneLine(change.text))}</td><td>${escapeHtml(labelOf(change))}</td><td>${escapeHtml(change.side)}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(diff.dataset)}: ${escapeHtml(changeWords(diff.summary))}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8884;padding:.3rem .6rem;text-align:left;vertical-align:top}del{background:#f003}ins{background:#0a03;text-decoration:none}</style>
<h1>${escapeHtml(diff.dataset)}: ${escapeHtml(changeWords(diff.summary))}</h1>
<p><code>${escapeHtml(diff.from === null ? 'nothing' : short(diff.from))}</code> → <code>${escapeHtml(short(diff.to))}</code></p>
<table><thead><tr><th>change</th><th>text</th><th>label</th><th>side</th></tr></thead><tbody>
${rows}
</tbody></table>${diff.truncated ? '\n<p>… and more.</p>' : ''}
</html>`;
}

function editedHtml(change: DiffChange): string {
  return wordDiff(change.before?.text ?? '', change.after?.text ?? '')
    .map(({ kind, text }) => {
      const shown = escapeHtml(oneLine(text, 400));
      if (kind === 'same') return shown;
      return kind === 'removed' ? `<del>${shown}</del>` : `<ins>${shown}</ins>`;
    })
    .join('');
}
