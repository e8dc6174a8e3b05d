/**
 * Holds the documentation to the program: `node scripts/check-docs.ts [--update] [page…]`.
 *
 * Runs the ```console blocks of README.md and docs/ (one scratch folder a page) and compares what they print;
 * checks that links lead somewhere and that every file and command named exists. `<!-- check-docs: copy FILE… -->` puts
 * files of the project into the scratch folder. `--update` writes what was printed into the page.
 */
import { cpSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { anchors, namedCommands, namedFiles, type Page, parsePage, relativeLinks } from './check-docs/markdown.ts';
import { lasting, matches, outputLines, parseSteps, Shell, type Step, withOutputs } from './check-docs/session.ts';

const root = join(import.meta.dirname, '..');
const main = join(root, 'src', 'cli', 'main.ts');
const COPY = /^<!-- check-docs: copy (?<files>.+) -->$/u;

const { values, positionals } = parseArgs({
  options: { update: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const problems: string[] = [];

function pages(): string[] {
  if (positionals.length > 0) return positionals.map((page) => relative(root, resolve(page)));
  const found = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'schema/*.md'], { cwd: root });
  return found.toSorted();
}

const read = (page: string): Page => parsePage(readFileSync(join(root, page), 'utf8'));

function checkLinks(page: string): void {
  for (const { line, text } of relativeLinks(read(page))) {
    const [path = '', anchor] = text.split('#');
    const target = path === '' ? join(root, page) : join(root, dirname(page), decodeURIComponent(path));
    if (!existsSync(target)) problems.push(`${page}:${line}: ${text} leads nowhere`);
    else if (anchor !== undefined && target.endsWith('.md') && statSync(target).isFile()) {
      if (!anchors(parsePage(readFileSync(target, 'utf8'))).has(anchor)) {
        problems.push(`${page}:${line}: ${text}: there is no heading "#${anchor}"`);
      }
    }
  }
}

function checkFiles(page: string): void {
  for (const { line, text } of namedFiles(read(page))) {
    if (!existsSync(join(root, text))) problems.push(`${page}:${line}: there is no ${text}`);
  }
}

/** Names of the commands below the given words, from the help; none where they are no command or have none below. */
function subcommands(shell: Shell, words: string, known: Map<string, Set<string>>): Set<string> {
  let names = known.get(words);
  if (names === undefined) {
    const help = shell.ask(`uttr ${words} --help`);
    names = new Set(commandsInHelp(help));
    known.set(words, names);
  }
  return names;
}

/** The commands that a help text lists, under whatever titles; what is no command has titles that are known. */
function commandsInHelp(help: string): string[] {
  const [usage = '', ...sections] = help.split(/^(?=\S.*:$)/mu);
  if (!/\[command\]$/mu.test(usage)) return [];
  return sections
    .filter((section) => !/^(?:Arguments|Options|Global options|Examples):/u.test(section))
    .flatMap((section) => [...section.matchAll(/^ {2}(?<name>[a-z][a-z-]*)\b/gmu)])
    .map((match) => match.groups?.['name'] ?? '');
}

function checkCommands(page: string, shell: Shell, known: Map<string, Set<string>>): void {
  for (const { line, text } of namedCommands(read(page))) {
    let above = '';
    for (const word of text.split(/\s+/u).slice(1)) {
      const names = subcommands(shell, above, known);
      if (names.size === 0 || !/^[a-z][a-z-]*$/u.test(word)) break;
      if (!names.has(word)) {
        problems.push(`${page}:${line}: there is no command "uttr ${`${above} ${word}`.trim()}"`);
        break;
      }
      above = `${above} ${word}`.trim();
    }
  }
}

/** Steps of a page in order, each with the files that are to be copied before it. */
function* script(page: Page): Iterable<{ readonly step: Step; readonly files: readonly string[] }> {
  const copies = page.prose.flatMap(({ line, text }) => {
    const files = COPY.exec(text)?.groups?.['files'];
    return files === undefined ? [] : [{ line, files: files.split(' ') }];
  });
  for (const block of page.blocks.filter(({ language }) => language === 'console')) {
    for (const step of parseSteps(block)) {
      const due = copies.filter(({ line }) => line < step.line);
      copies.splice(0, due.length);
      yield { step, files: due.flatMap(({ files }) => files) };
    }
  }
}

function runPage(page: string): void {
  const steps = [...script(read(page))];
  if (steps.length === 0) return;
  const shell = new Shell(main);
  const changed = new Map<Step, string[]>();
  try {
    for (const { step, files } of steps) {
      for (const file of files) cpSync(join(root, file), join(shell.folder, basename(file)), { recursive: true });
      const { output, status } = shell.run(step.command);
      const actual = outputLines(output);
      if (matches(step.expected, actual)) continue;
      changed.set(step, lasting(actual));
      if (values.update) continue;
      const shown = actual.map((line) => `    ${line}`).join('\n');
      problems.push(
        `${page}:${step.line}: $ ${step.command}\n  does not print what the page says (exit code ${status}), but:\n${shown}`,
      );
    }
  } finally {
    shell.close();
  }
  console.log(`${page}: ${steps.length} commands run`);
  if (values.update && changed.size > 0) {
    const path = join(root, page);
    writeFileSync(path, withOutputs(readFileSync(path, 'utf8'), changed));
    console.log(`${page}: ${changed.size} outputs written`);
  }
}

const shell = new Shell(main);
const known = new Map<string, Set<string>>();
try {
  if (subcommands(shell, '', known).size === 0) problems.push('uttr --help names no commands');
  for (const page of pages()) {
    checkLinks(page);
    checkFiles(page);
    checkCommands(page, shell, known);
    if (page === 'README.md' || page.startsWith('docs/')) runPage(page);
  }
} finally {
  shell.close();
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'the documentation holds' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
