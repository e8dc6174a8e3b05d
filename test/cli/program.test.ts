/** Options, help, suggestions, errors, exit codes: what all commands share. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT_CODES } from '../../src/base/errors.ts';
import { COMMAND_GROUPS } from '../../src/cli/commands/all.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, newProject, Project, shown } from './harness.ts';

const nowhere = (): Project => new Project(temporaryDirectory());

describe('help', () => {
  test('lists every command in the order in which data goes', async () => {
    const outcome = await nowhere().run('--help');
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatchInlineSnapshot(`
      "Usage: uttr [options] [command]

      Version control for utterance datasets.

      Options:
        -V, --version                               print the version
        --json                                      print one JSON document on stdout and nothing else
        --quiet                                     print results, warnings and errors only
        --no-color                                  print without colours
        -C <dir>                                    work in this folder
        -h, --help                                  print this help

      Start a project:
        init [options]                              make this folder a uttr project; in git, install the
                                                    diff and merge drivers
        help [command]                              explain a command

      Put data in:
        add [options] <dataset> <file...>           read files of utterances and stage what they change
        remove [options] [dataset]                  stage the removal of records
        relabel [options] [dataset]                 stage another intent for records; they stay on their
                                                    side
        status [options]                            what is staged, and where the data of each pointer is
        reset [options] [dataset]                   drop what is staged
        commit [options] [dataset]                  make a version of what is staged: split it, record it,
                                                    move the pointer

      Look at versions:
        log [options] [dataset[@version]]           the versions of a dataset, newest first
        show [options] [dataset@version]            one version: who, when, what, counts by side and
                                                    intent
        diff [options] [a] [b]                      which rows differ between two versions
        blame [options] <dataset[@version]> <text>  which version, batch and author brought an utterance
                                                    and each of its labels
        tag [options] [name] [dataset@version]      give a version a name that stays; without a name, list
                                                    them

      Get data out:
        cat [options] [dataset@version]             the records of a version as JSON Lines
        grep [options] <text> [dataset@version]     records whose text holds some words, as JSON Lines;
                                                    ends with 1 when there are none
        sample [options] [dataset@version]          some records at random, as JSON Lines; the same seed
                                                    gives the same records
        stats [options] [dataset@version]           counts and balance of a version: rows, sides, intents,
                                                    distance from the ideal split
        export [options] [dataset@version]          write the sides of a version as files:
                                                    <dir>/train.jsonl, <dir>/test.jsonl

      Work with others:
        push [options] [dataset...]                 send versions to a remote and move the head of this
                                                    branch
        pull [options] [dataset...]                 fetch the data that the pointers name; merge what
                                                    others pushed where both sides went on
        fetch [options] [dataset...]                fetch the data of the remote's heads; pointers stay as
                                                    they are
        remote                                      shared stores: add, check, list, remove
        merge [options] [dataset@version]           merge another version into HEAD, record by record; or
                                                    settle a merge that waits
        git                                         the drivers behind git diff and git merge

      Measure models:
        eval                                        how good a model is on one version: record, compare
        gate [options] [dataset@version]            hold a recorded evaluation against the gates of
                                                    uttr.json; ends with 1 when one fails

      Tell others, and keep it sound:
        check [options] [dataset@version]           look for conflicting labels, leaks, near-duplicates
                                                    and other faults; ends with 1 on an error
        events                                      what happened to the data, and who has been told
        fsck [options]                              re-read and re-hash everything: packs, index,
                                                    versions, split

      A version is named <dataset>@<version>, where the version is HEAD, HEAD~2, a tag, the first digits of
      its hash (6 or more), or git:<ref>. A project with one dataset needs no name for it.

      Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 bad data, 4 conflict, 5 damaged data,
      6 disk, remote or network, 7 written by a newer uttr, 130 interrupted.

      To begin: uttr init, uttr add <dataset> <file>, uttr commit -m "first batch"
      "
    `);
    expect(await nowhere().run('help')).toEqual(outcome);
  });

  test('of add explains every option', async () => {
    const outcome = await nowhere().run('add', '--help');
    expect(outcome.stdout).toMatchInlineSnapshot(`
      "Usage: uttr add [options] <dataset> <file...>

      read files of utterances and stage what they change

      Arguments:
        dataset                 the dataset they belong to
        file                    tables, JSON, or what chat bot tools export, zipped or not
                                (docs/formats.md); - for standard input

      Options:
        --format <name>         the format, where it cannot be recognised: csv, rasa-yaml, …
                                (docs/formats.md)
        --map <field=column,…>  which column is what: text=Phrase,intent=Label,features.role=Role
        --columns <names>       names of the columns of a table without a header: text,intent
        --delimiter <char>      what separates the cells of a table
        --encoding <name>       how the text is encoded (choices: "utf-8", "utf-16le", "windows-1252")
        --on-conflict <way>     when a text has another label: refuse, take the new one, keep the old one
                                (choices: "error", "relabel", "keep", default: "error")
        --new                   make a second, third … dataset
        --replace               the files are the whole dataset: what they lack is removed
        --rejects <file>        stage the good rows, write the bad ones to this file
        --split <way>           where the files come with train and test: take that over, or split as
                                always (choices: "adopt", "ignore", default: "ignore")
        --no-clean              leave texts as they are, whatever the configuration says
        --report <file>         write the batch with what is wrong with each row: batch.html to read,
                                batch.xlsx to work with
        --dry-run               say what would change, change nothing
        -h, --help              print this help

      Global options:
        --json                  print one JSON document on stdout and nothing else
        --quiet                 print results, warnings and errors only
        --no-color              print without colours
        -C <dir>                work in this folder

      Examples:
        uttr add support new.csv
        uttr add support export.csv --map text=Phrase,intent=Topic --dry-run
        uttr add support new.csv --rejects bad.csv --on-conflict relabel
        grep -v test new.jsonl | uttr add support -
      "
    `);
    expect(await nowhere().run('help', 'add')).toEqual(outcome);
  });

  test('every command and option says what it does', async () => {
    expect(COMMAND_GROUPS.length).toBeGreaterThan(3);
    const { stdout } = await nowhere().run('--help');
    const names = [...stdout.matchAll(/^ {2}(?<name>[a-z]+) (?:\[|<|  )/gmu)].map(
      (match) => match.groups?.['name'] ?? '',
    );
    expect(names.length).toBeGreaterThan(20);
    for (const name of names.filter((one) => one !== 'help')) {
      const help = await nowhere().run(name, '--help');
      expect([name, help.code, help.stderr]).toEqual([name, 0, '']);
      expect(help.stdout).not.toMatch(/^ {2}(?:-\S+, )?--\S+(?: <[^>]*>)?\s*$/mu);
    }
  });

  test('stands on stderr, with exit code 2, where the command was left out', async () => {
    const help = await nowhere().run('--help');
    expect(await nowhere().run()).toEqual({ code: 2, stdout: '', stderr: help.stdout });
    const remote = await nowhere().run('remote');
    expect([remote.code, remote.stdout]).toEqual([2, '']);
    expect(remote.stderr).toContain('Usage: uttr remote');
    expect(remote.stderr).not.toContain('error[');
    expect((await nowhere().json()).error).toMatchObject({ code: 'bad-option', exitCode: 2 });
  });

  test('the version is that of the package', async () => {
    expect((await nowhere().run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });
});

describe('a wrong command line', () => {
  test.each([
    [['statsu'], "unknown command 'statsu'", 'did you mean stats'],
    [['frobnicate'], "unknown command 'frobnicate'", 'see: uttr --help'],
    [['add', '--maap', 'x', 'y'], "unknown option '--maap'", 'did you mean --map?'],
    [['add'], "missing required argument 'dataset'", 'see: uttr add --help'],
    [['status', 'extra'], "too many arguments for 'status'", 'see: uttr status --help'],
    [['log', '-n', 'many'], "argument 'many' is invalid", 'see: uttr log --help'],
    [['add', 'a', 'b', '--on-conflict', 'ask'], "argument 'ask' is invalid", 'see: uttr add --help'],
    [['remote', 'lsit'], "unknown command 'lsit'", 'did you mean list?'],
    [['-C', 'nowhere', 'status'], 'nowhere is no folder', 'give -C a folder that is there'],
  ])('%j is said once, with a hint', async (args, message, hint) => {
    const { code, stdout, stderr } = await nowhere().run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error\[bad-option\]: .*\nhint: .*\n$/u);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test('is a document with --json', async () => {
    expect(await nowhere().json('statsu')).toEqual({
      error: {
        code: 'bad-option',
        kind: 'usage',
        message: "unknown command 'statsu'",
        hint: expect.stringContaining('stats'),
        details: {},
        exitCode: 2,
      },
    });
  });

  test('outside a project says how to begin', async () => {
    expect(await nowhere().show('status')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[not-a-repository]: there is no uttr.json in <folder> or above it
      hint: run: uttr init
      "
    `);
  });
});

describe('global options', () => {
  test('-C works in another folder, written apart or attached, before or behind the command', async () => {
    const project = await committedProject(1);
    project.write('inner/place/note.txt', '');
    const { stdout } = await project.do('status');
    expect((await project.do('-C', 'inner/place', 'status')).stdout).toBe(stdout);
    expect((await project.do('status', '-C', project.path('inner'))).stdout).toBe(stdout);
    expect((await nowhere().do(`-C${project.folder}`, 'status')).stdout).toBe(stdout);
  });

  test('files are named from the folder of -C', async () => {
    const project = await newProject();
    project.write('batches/a.csv', 'text,intent\nhello,greet\n');
    expect((await project.run('-C', 'batches', 'add', 'support', 'a.csv')).code).toBe(0);
  });

  test('--json puts one document on stdout, before or behind the command', async () => {
    const project = await committedProject(1);
    const before = await project.run('--json', 'status');
    expect(await project.run('status', '--json')).toEqual(before);
    expect(before.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('--quiet leaves out notes, but neither results nor warnings nor errors', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\n hello ,greet\nlonely,only\n');
    const loud = await project.run('add', 'support', 'a.csv', '--dry-run');
    const quiet = await project.run('add', 'support', 'a.csv', '--dry-run', '--quiet');
    expect(loud.stderr).toMatchInlineSnapshot(`
      "note: a.csv: blanks at the ends of texts were dropped (1 time)
      "
    `);
    expect(quiet).toEqual({ ...loud, stderr: '' });
    expect((await project.run('status', 'x', '--quiet')).stderr).toContain('error[');
    project.write('unlabelled.csv', 'text,Absicht\nhello,greet\n');
    expect((await project.run('add', 'support', 'unlabelled.csv', '--dry-run', '--quiet')).stderr)
      .toMatchInlineSnapshot(`
      "warning: unlabelled.csv has no column for the label: its records have no intent and belong to no side; if one of its columns is the label, drop what is staged (uttr reset) and say --map intent=<column>
      "
    `);
  });
});

describe('a terminal', () => {
  const ESCAPE = '\u001B';

  test('shows colours in the pager that git has started', async () => {
    const project = await committedProject(1);
    const paged = { GIT_PAGER_IN_USE: 'true' };
    const { stdout } = await project.runWith({ environment: paged }, 'diff');
    expect(stdout).toContain(ESCAPE);
    const plain = await project.runWith({ environment: { ...paged, NO_COLOR: '1' } }, 'diff');
    expect(plain.stdout).not.toContain(ESCAPE);
  });

  test('shows colours, unless NO_COLOR, CI, TERM=dumb or --no-color say otherwise', async () => {
    const project = await committedProject(1);
    expect((await project.runWith({ terminal: true }, 'log')).stdout).toContain(ESCAPE);
    for (const environment of [{ NO_COLOR: '1' }, { CI: 'true' }, { TERM: 'dumb' }]) {
      expect((await project.runWith({ terminal: true, environment }, 'log')).stdout).not.toContain(ESCAPE);
    }
    expect((await project.runWith({ terminal: true }, 'log', '--no-color')).stdout).not.toContain(ESCAPE);
    expect((await project.runWith({}, 'log')).stdout).not.toContain(ESCAPE);
    expect((await project.runWith({ terminal: true }, 'log', '--json')).stdout).not.toContain(ESCAPE);
  });

  test('gets no control characters of the data, whatever shows them', async () => {
    const nasty = `${ESCAPE}[2J${ESCAPE}]0;owned\u0007 \u009B31m \u202Etxet`;
    const project = await newProject();
    project.write(
      'a.jsonl',
      `${JSON.stringify({ text: `hello ${nasty}`, intent: 'greet', features: { role: nasty } })}\n`,
    );
    project.write(
      'b.jsonl',
      `${JSON.stringify({ text: `hello ${nasty}`, intent: 'leave' })}\n${JSON.stringify({ text: '', intent: nasty })}\n`,
    );
    await project.do('add', 'support', 'a.jsonl');
    await project.do('commit', '-m', `message ${nasty}`, '--author', nasty);
    const commands = [
      ['add', 'support', 'b.jsonl'],
      ['add', 'support', 'b.jsonl', '--dry-run'],
      ['add', 'support', 'b.jsonl', '--map', `text=${nasty}`],
      ['add', 'support', `${nasty}.csv`],
      ['add', nasty, 'b.jsonl'],
      ['cat'],
      ['cat', '--json'],
      ['cat', nasty],
      ['grep', 'hello'],
      ['sample'],
      ['log'],
      ['log', '--json'],
      ['show'],
      ['diff'],
      ['diff', '--format', 'jsonl'],
      ['diff', '--format', 'md'],
      ['diff', '--format', 'html'],
      ['blame', 'support', `hello ${nasty}`],
      ['blame', 'support', nasty],
      ['remove', '--text', nasty, '--text', `hello ${nasty}`],
      ['diff', '--staged'],
      ['status'],
      ['stats'],
      ['export', '-o', 'out', '--format', nasty],
      ['tag', nasty],
      [nasty],
      ['status', `--${nasty}`],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await project.runWith({ terminal: true, environment: { NO_COLOR: '1' } }, ...args);
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      const harmful = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/u;
      // What wipes a line of progress is ours.
      const found = harmful.exec(`${stdout}${stderr}`.replaceAll(`\r${ESCAPE}[2K`, ''));
      expect([args.join(' '), found]).toEqual([args.join(' '), null]);
    }
  });

  test('a pipe gets the records as they are, and JSON on a terminal means the same', async () => {
    const project = await newProject();
    const record = { intent: 'greet', text: 'right \u202Eto left\u202C and \u009B' };
    project.write('a.jsonl', `${JSON.stringify(record)}\n`);
    await project.do('add', 'support', 'a.jsonl');
    await project.do('commit', '-m', 'x');
    expect((await project.do('cat')).stdout).toContain('\u202E');
    const { stdout } = await project.runWith({ terminal: true }, 'cat');
    expect(stdout).not.toContain('\u202E');
    expect(JSON.parse(stdout)).toEqual(record);
  });
});

describe('exit codes', () => {
  test('are the documented ones', () => {
    expect(EXIT_CODES).toEqual({
      usage: 2,
      rejected: 3,
      conflict: 4,
      corrupt: 5,
      unavailable: 6,
      incompatible: 7,
      internal: 70,
      aborted: 130,
    });
  });

  test('an interrupted command ends with 130', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\n');
    const outcome = await project.runWith({ signal: AbortSignal.abort() }, 'add', 'support', 'a.csv');
    expect(shown(outcome)).toMatchInlineSnapshot(`
      "[exit 130]
      [stderr]
      error[aborted]: interrupted
      hint: nothing was changed; run the command again
      "
    `);
  });

  test('a real process ends with the code of its command', () => {
    const folder = temporaryDirectory();
    const main = join(import.meta.dirname, '../../src/cli/main.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'status'], { cwd: folder, encoding: 'utf8' });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('error[not-a-repository]');
  });
});
