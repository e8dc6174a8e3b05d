/**
 * What `add` tells people of a batch.
 */
import { SEVERITIES } from '../checks/check.ts';
import { placeOfRow } from '../formats/row-place.ts';
import type { AddSummary, NotedRow, RejectedRow } from '../repo/add-summary.ts';
import { COLOURS, countWords } from './check-view.ts';
import type { CliContext } from './context.ts';
import { oneLine, plural, type Reporter, table, thousands } from './reporter.ts';
import { changeWords } from './words.ts';

/** Bad rows that are shown; all of them are in `--json` and in the rejects file. */
const SHOWN_ROWS = 20;
const SHOWN_COLUMNS = 8;
const SHOWN_NEAR = 5;
/** Findings of one check. */
const SHOWN_FINDINGS = 3;

/** What a batch came to, for people. */
export function describeAdd(summary: AddSummary, context: CliContext): string {
  const { dataset, rows, changes } = summary;
  const lines = summary.files.map(fileLine);
  const changed = Object.values(changes).some((count) => count > 0);
  if (!changed && rows.duplicate === rows.read) {
    lines.push(
      `Nothing to do: ${rows.read === 1 ? 'the row is' : `all ${plural(rows.read, 'row')} are`} in ${dataset} already.`,
    );
    if (summary.dropped) lines.push('What was staged before was dropped.');
    return lines.join('\n');
  }
  lines.push(...countLines(summary));
  lines.push(`${summary.dryRun ? 'Would change' : 'Changes'}: ${changeWords(changes)}.`);
  lines.push(...cleanedLines(summary.cleaned));
  if (summary.newIntents.length > 0) lines.push(newIntentsLine(summary.newIntents));
  lines.push(...intentLines(summary), ...nearLines(summary), ...notedLines(summary));
  if (summary.sides !== undefined) lines.push(...sidesLines(summary.sides));
  lines.push(...rejectedLines(summary.rejected, context.reporter));
  lines.push(...findingsLines(summary, context.reporter));
  const refused = rows.rejected + rows.conflict - rows.kept;
  if (refused > 0 && summary.rejectsFile !== undefined && !summary.dryRun) {
    const file = oneLine(context.relative(summary.rejectsFile));
    lines.push(`The rejected rows are in ${file}: mend them there, then: uttr add ${dataset} ${file}`);
  }
  if (summary.reportFile !== undefined) {
    lines.push(`Every row with what is wrong with it: ${oneLine(context.relative(summary.reportFile))}`);
  }
  lines.push(...closing(summary, refused));
  return lines.join('\n');
}

function fileLine(file: AddSummary['files'][number]): string {
  const used = [...file.columns].map(([column, field]) => (column === field ? column : `${column} → ${field}`));
  const columns =
    used.length === 0
      ? ''
      : ` (${oneLine(used.slice(0, SHOWN_COLUMNS).join(', '))}${used.length > SHOWN_COLUMNS ? ', …' : ''})`;
  return `${oneLine(file.file)}: ${file.format}, ${plural(file.rows, 'row')}${columns}`;
}

function countLines({ rows, nearDuplicates }: AddSummary): string[] {
  const counts: (readonly [number, string])[] = [
    [rows.accepted, 'accepted'],
    [rows.echoed, 'of them there already but for case, blanks or punctuation'],
    [nearDuplicates?.count ?? 0, 'of them nearly equal to another text'],
    [rows.duplicate - rows.repeated, 'there already'],
    [rows.repeated, 'twice in the files'],
    [rows.kept, 'with another label than the one there, which was kept'],
    [rows.conflict - rows.kept, 'with another label than the one there'],
    [rows.rejected, 'rejected'],
  ];
  const shown = counts.filter(([count]) => count > 0).map(([count, word]) => [`  ${thousands(count)}`, word]);
  return shown.length === 0 ? [] : [table(shown, [true])];
}

function newIntentsLine(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_ROWS).map((name) => oneLine(name, 60));
  return `New ${names.length === 1 ? 'intent' : 'intents'}: ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}.`;
}

/** Texts of each intent that the batch touches, before and after. */
function intentLines({ intents, dryRun }: AddSummary): string[] {
  // Of a first batch, the names of the new intents say as much.
  if (intents === null || !(dryRun || intents.some(({ before }) => before > 0))) return [];
  if (intents.length === 0) return [];
  const shown = intents.slice(0, dryRun ? SHOWN_ROWS : SHOWN_COLUMNS);
  const words = shown.map(
    ({ intent, before, after }) => `${oneLine(intent, 60)} ${thousands(before)} → ${thousands(after)}`,
  );
  return [`Texts by intent: ${words.join(', ')}${intents.length > shown.length ? ', …' : ''}.`];
}

/** New texts that are nearly equal to others: those with another intent are likely to be labelled wrongly. */
function nearLines({ nearDuplicates }: AddSummary): string[] {
  if (nearDuplicates === null || nearDuplicates.count === 0) return [];
  const { count, first } = nearDuplicates;
  // Of two new texts, each is nearly equal to the other.
  const pairs = new Map(first.map((one) => [[one.text, one.near.text].sort().join('\n'), one]));
  const shown = [...pairs.values()].slice(0, SHOWN_NEAR);
  const lines = shown.map(({ text, intent, near, similarity }) => {
    const [one, other] = [
      `${oneLine(text, 80)} [${oneLine(intent, 60)}]`,
      `${oneLine(near.text, 80)} [${oneLine(near.intent, 60)}]`,
    ];
    return `    ${one} ~ ${other} (${similarity.toFixed(2)})`;
  });
  const more = count - first.length + pairs.size - shown.length;
  return ['Nearly equal:', ...lines, ...(more > 0 ? [`    … and ${thousands(more)} more`] : [])];
}

/** Rows that are good, and worth a look. */
function notedLines({ rows, unlabelled, invisible }: AddSummary): string[] {
  return [
    ...listLines('Without an intent, so on no side', rows.unlabelled, unlabelled),
    ...listLines('With characters that nobody sees', rows.invisible, invisible),
  ];
}

function listLines(title: string, count: number, first: readonly NotedRow[]): string[] {
  if (count === 0) return [];
  const shown = first.slice(0, SHOWN_NEAR).map((row) => `    ${oneLine(placeOfRow(row))}: ${oneLine(row.text, 80)}`);
  const more = count - shown.length;
  return [`${title}: ${plural(count, 'row')}.`, ...shown, ...(more > 0 ? [`    … and ${thousands(more)} more`] : [])];
}

/** What the checks say: the first findings of each, those of most weight first. */
function findingsLines({ checks }: AddSummary, reporter: Reporter): string[] {
  if (checks === null || checks.findings.length === 0) return [];
  const lines = [`Checks: ${countWords(checks.counts)}.`];
  const shown = new Map<string, number>();
  for (const severity of SEVERITIES) {
    for (const { check, message, hint, ...finding } of checks.findings) {
      const count = shown.get(check) ?? 0;
      if (finding.severity !== severity || finding.waived !== null) continue;
      shown.set(check, count + 1);
      if (count >= SHOWN_FINDINGS) continue;
      lines.push(`  ${reporter.style(COLOURS[severity], severity.padEnd(5))} ${check}: ${oneLine(message, 300)}`);
      if (count === 0) lines.push(reporter.style('dim', `        → ${hint}`));
    }
  }
  const more = [...shown.values()].reduce((sum, count) => sum + Math.max(0, count - SHOWN_FINDINGS), 0);
  if (more > 0) lines.push(`  … and ${thousands(more)} more (--json lists them)`);
  return lines;
}

/** What each rule of the dataset did. */
function cleanedLines(cleaned: AddSummary['cleaned']): string[] {
  const counts = Object.entries(cleaned);
  if (counts.length === 0) return [];
  const dropped = (rule: string): string => (['maxCharacters', 'empty'].includes(rule) ? ' dropped' : '');
  const words = counts.map(([rule, count]) => `${rule} ${thousands(count)}${dropped(rule)}`);
  return [`Cleaned by the dataset's rules: ${words.join(', ')}.`];
}

/** What became of the files' own split: first of all, whether it leaks. */
function sidesLines({ adopted, divided, settled, examples }: NonNullable<AddSummary['sides']>): string[] {
  const lines = [`Sides taken over from the files: ${plural(adopted, 'text')}.`];
  if (divided > 0) {
    lines.push(`  ${plural(divided, 'text')} on both sides in the files: kept where training is, out of the test`);
    lines.push(...examples.slice(0, SHOWN_ROWS).map((text) => `    ${oneLine(text, 80)}`));
    if (divided > SHOWN_ROWS) lines.push(`    … and ${thousands(divided - SHOWN_ROWS)} more`);
  }
  if (settled > 0) lines.push(`  ${plural(settled, 'text')} on another side before: a side is for good`);
  return lines;
}

function closing(summary: AddSummary, refused: number): string[] {
  if (summary.dropped) return ['What was staged before was dropped: without it, the dataset is what the files say.'];
  if (!summary.dryRun)
    return summary.staged ? [`Staged. Next: uttr commit ${summary.dataset} -m "what this batch is"`] : [];
  return refused > 0 && summary.rejectsFile === undefined
    ? ['Nothing was staged (dry run); without --rejects, the bad rows would stop the batch.']
    : ['Nothing was staged (dry run).'];
}

/** The first rejected rows, and how many more there are. */
export function rejectedLines(rejected: readonly RejectedRow[], reporter: Reporter, count = rejected.length): string[] {
  const shown = rejected.slice(0, SHOWN_ROWS);
  const lines = shown.map(
    (row) => `  ${reporter.style('yellow', oneLine(placeOfRow(row)))}: ${oneLine(row.message)} (row ${row.row})`,
  );
  const more = count - shown.length;
  return more > 0 && shown.length > 0 ? [...lines, `  … and ${thousands(more)} more`] : lines;
}
