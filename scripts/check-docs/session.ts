/**
 * Sessions on a page: the commands of a console block, what they are said to print, and what they print.
 *
 *   $ uttr log support          a command; with `\` at its end, or a here-document, it goes on below
 *   … first batch               expected output; `…` stands for anything within a line
 *   …                           a line of its own stands for any number of lines
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Block } from './markdown.ts';

/** One command of a block with the output that the page shows. Lines are counted from 1, in the page. */
export interface Step {
  readonly line: number;
  readonly command: string;
  /** The first line after the command, where its output stands. */
  readonly outputLine: number;
  readonly expected: readonly string[];
}

export function parseSteps(block: Block): Step[] {
  const steps: Step[] = [];
  const { lines } = block;
  let index = 0;
  while (index < lines.length) {
    const start = index;
    const first = lines[index++] as string;
    if (!first.startsWith('$ ')) throw new Error(`line ${block.line + start}: a console block begins with "$ "`);
    const command = [first.slice(2)];
    while (index < lines.length && command.at(-1)?.endsWith('\\') === true) command.push(lines[index++] as string);
    const end = /<<-?\s*(?<quote>['"]?)(?<word>\w+)\k<quote>/u.exec(command.join('\n'))?.groups?.['word'];
    if (end !== undefined) {
      const last = lines.indexOf(end, index);
      if (last === -1) throw new Error(`line ${block.line + start}: "${end}" is missing`);
      command.push(...lines.slice(index, last + 1));
      index = last + 1;
    }
    const outputLine = block.line + index;
    const expected: string[] = [];
    while (index < lines.length && lines[index]?.startsWith('$ ') !== true) expected.push(lines[index++] as string);
    // A blank line before the next command is for the reader's eye.
    while (expected.at(-1) === '') expected.pop();
    steps.push({ line: block.line + start, command: command.join('\n'), outputLine, expected });
  }
  return steps;
}

/** Lines of output as they are compared: without blanks at their ends, and without blank lines at the end. */
export function outputLines(output: string): string[] {
  const lines = output.split('\n').map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Whether the lines are those of the page, where `…` stands for anything. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const pattern = expected.map((line) => {
    if (line.trim() === '…') return '(?:.*\\n)*?';
    return `${line.trimEnd().split('…').map(literally).join('.*?')}\\n`;
  });
  return new RegExp(`^${pattern.join('')}$`, 'u').test(actual.map((line) => `${line}\n`).join(''));
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

const CHANGING = [
  /\b[0-9a-f]{8,64}\b/gu,
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?/gu,
  /\b\d+(?:\.\d+)? ?(?:ms|s)\b/gu,
  /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/gu,
];

/** Output fit to be written on a page: what differs from run to run becomes `…`. */
export function lasting(lines: readonly string[]): string[] {
  return lines.map((line) => CHANGING.reduce((text, pattern) => text.replaceAll(pattern, '…'), line));
}

const COMMAND_LIMIT_MS = 120_000;

/** A shell with a home and a folder of its own; folder and variables last from one command to the next. */
export class Shell {
  readonly #scratch = mkdtempSync(join(tmpdir(), 'uttr-docs-'));
  readonly folder = join(this.#scratch, 'work');
  readonly #state = join(this.#scratch, 'state');
  readonly #environment: NodeJS.ProcessEnv;

  /** @param main the program that `uttr` starts */
  constructor(main: string) {
    const home = join(this.#scratch, 'home');
    const programs = join(this.#scratch, 'bin');
    for (const folder of [this.folder, home, programs]) mkdirSync(folder);
    writeFileSync(join(programs, 'uttr'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
    const git = ['[user]', 'name = Ada', 'email = ada@example.org', '[init]', 'defaultBranch = main', ''];
    writeFileSync(join(home, '.gitconfig'), git.join('\n'));
    writeFileSync(this.#state, `cd "${this.folder}"\n`);
    const path = [programs, dirname(process.execPath), process.env['PATH']].join(delimiter);
    this.#environment = {
      HOME: home,
      PATH: path,
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      NO_COLOR: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PAGER: 'cat',
    };
  }

  /** Runs a command; its output is stdout and stderr, in the order they were written. */
  run(command: string): { readonly output: string; readonly status: number | null } {
    const script = `. "${this.#state}"\ntrap 'status=$?; { export -p; echo "cd \\"$PWD\\""; } >"${this.#state}"; exit $status' EXIT\n`;
    const { stdout, status, error } = spawnSync('bash', ['-c', `exec 2>&1\n${script}${command}`], {
      cwd: this.folder,
      env: this.#environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: COMMAND_LIMIT_MS,
    });
    return { output: error === undefined ? stdout : `${stdout}\n${error.message}`, status };
  }

  /** What a command prints on stdout alone. */
  ask(command: string): string {
    return spawnSync('bash', ['-c', command], { cwd: this.folder, env: this.#environment, encoding: 'utf8' }).stdout;
  }

  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** A page's text with the given outputs in place of those it shows. */
export function withOutputs(text: string, changed: ReadonlyMap<Step, readonly string[]>): string {
  const lines = text.split('\n');
  // From the end, so that the lines before keep their numbers.
  for (const [step, output] of [...changed].sort(([a], [b]) => b.line - a.line)) {
    lines.splice(step.outputLine - 1, step.expected.length, ...output);
  }
  return lines.join('\n');
}
