import { expect, test } from 'vitest';
import { parsePage } from '../../../scripts/check-docs/markdown.ts';
import { lasting, matches, outputLines, parseSteps, Shell, withOutputs } from '../../../scripts/check-docs/session.ts';

const PAGE = [
  'Text.',
  '```console',
  "$ cat >a.csv <<'EOF'",
  'text,intent',
  'hello,greet',
  'EOF',
  '$ printf "%s" \\',
  '  one',
  'one',
  '',
  '$ true',
  '```',
  'More.',
].join('\n');

function steps(): ReturnType<typeof parseSteps> {
  return parsePage(PAGE).blocks.flatMap((block) => parseSteps(block));
}

test('commands go on after a backslash and through a here-document', () => {
  expect(steps()).toEqual([
    { line: 3, command: "cat >a.csv <<'EOF'\ntext,intent\nhello,greet\nEOF", outputLine: 7, expected: [] },
    { line: 7, command: 'printf "%s" \\\n  one', outputLine: 9, expected: ['one'] },
    { line: 11, command: 'true', outputLine: 12, expected: [] },
  ]);
});

test('a block that does not begin with a command is an error with its line', () => {
  expect(() => parsePage('```console\nls\n```').blocks.map((block) => parseSteps(block))).toThrow('line 2');
});

test('an ellipsis stands for anything within a line, and on its own line for any lines', () => {
  expect(matches(['version …, 3 rows'], ['version 12ab, 3 rows'])).toBe(true);
  expect(matches(['version …, 3 rows'], ['version 12ab, 4 rows'])).toBe(false);
  expect(matches(['first', '…', 'last'], ['first', 'a', 'b', 'last'])).toBe(true);
  expect(matches(['first', '…', 'last'], ['first', 'last'])).toBe(true);
  expect(matches(['first', '…'], ['second'])).toBe(false);
  expect(matches(['a.b'], ['axb'])).toBe(false);
  expect(matches([], ['unexpected'])).toBe(false);
});

test('what changes from run to run is written as an ellipsis', () => {
  const line = 'version 0123456789abcdef at 2026-03-01T12:00:00.000Z in 1.2 s, 20260301 rows of 75 %';
  expect(lasting([line])).toEqual(['version … at … in …, … rows of 75 %']);
});

test('blanks at the ends of lines and blank lines at the end do not count', () => {
  expect(outputLines('a  \n\nb\n\n')).toEqual(['a', '', 'b']);
});

test('an update replaces only the outputs that differ', () => {
  const [first, second] = steps();
  if (first === undefined || second === undefined) throw new Error('the page has steps');
  const updated = withOutputs(
    PAGE,
    new Map([
      [first, ['written']],
      [second, ['two', 'lines']],
    ]),
  );
  expect(updated).toBe(PAGE.replace('EOF\n$', 'EOF\nwritten\n$').replace('\none\n', '\ntwo\nlines\n'));
});

test('a shell keeps its folder and variables, and has stdout and stderr in their order', () => {
  const shell = new Shell('/nowhere.ts');
  try {
    shell.run('mkdir below && cd below && export WORD=kept');
    const { output, status } = shell.run('basename "$PWD"; echo "$WORD" >&2; echo end; exit 3');
    expect({ output, status }).toEqual({ output: 'below\nkept\nend\n', status: 3 });
  } finally {
    shell.close();
  }
});
