/**
 * What goes wrong with files, and that nothing is lost by it: every message names the place, the code is the
 * documented one, and what was there before is there after.
 */
import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { committedProject, finished, type Json, mask, newProject, type Project, utterances } from './harness.ts';

/** Adds a file that must be refused; answers with the error, having checked that nothing changed. */
async function refused(content: string | Uint8Array | undefined, name: string, ...options: string[]): Promise<Json> {
  const project = await committedProject(1);
  if (content !== undefined) project.write(name, content);
  const before = project.files();
  const { code, stdout, stderr } = await project.run('add', 'support', name, '--json', ...options);
  expect(stderr).toBe('');
  expect(project.files()).toEqual(before);
  expect((await project.json('status')).datasets[0]).toMatchObject({ staged: null, changed: false });
  const { error }: Json = JSON.parse(stdout);
  expect(error.exitCode).toBe(code);
  expect(error.details.file).toBe(name);
  return error;
}

describe('a table', () => {
  test('without a column for the text', async () => {
    expect(await refused('Satz,Absicht\nhello,greet\n', 'a.csv')).toMatchInlineSnapshot(`
      {
        "code": "missing-column",
        "details": {
          "file": "a.csv",
        },
        "exitCode": 3,
        "hint": "say which column is which: --map text=Satz (intent=… likewise); if the first line is data already, --columns text,intent",
        "kind": "rejected",
        "message": "a.csv has no column for the text; it has "Satz", "Absicht"",
      }
    `);
  });

  test('without the column that --map names', async () => {
    const error = await refused('text,label\nhello,greet\n', 'a.csv', '--map', 'intent=Lable');
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "missing-column",
        "details": {
          "column": "Lable",
          "file": "a.csv",
        },
        "exitCode": 3,
        "hint": "did you mean "label"?",
        "kind": "rejected",
        "message": "a.csv has no column "Lable" (wanted for intent)",
      }
    `);
  });

  test('with an empty text and empty intents lists every row with its line (F2)', async () => {
    const error = await refused('text,intent\n,greet\nhi,\nok,good\n"two\nlines",\n', 'a.csv');
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "bad-row",
        "details": {
          "column": "text",
          "file": "a.csv",
          "line": 2,
          "rejected": 3,
          "row": 1,
          "rows": [
            {
              "code": "bad-row",
              "column": "text",
              "file": "a.csv",
              "line": 2,
              "message": ""text" is empty",
              "row": 1,
            },
            {
              "code": "bad-row",
              "column": "intent",
              "file": "a.csv",
              "line": 3,
              "message": ""intent" is empty",
              "row": 2,
            },
            {
              "code": "bad-row",
              "column": "intent",
              "file": "a.csv",
              "line": 5,
              "message": ""intent" is empty",
              "row": 4,
            },
          ],
        },
        "exitCode": 3,
        "hint": "mend the rows, or stage the good ones with --rejects <file>",
        "kind": "rejected",
        "message": "a.csv:2: "text" is empty (row 1), and 2 more; nothing was staged",
      }
    `);
  });

  test('with rows that have too many and too few cells', async () => {
    const error = await refused('text,intent\na,b,c\nd\nfine,greet\n', 'a.csv');
    expect(error.details.rows.map(({ line, message }: Json) => [line, message])).toMatchInlineSnapshot(`
      [
        [
          2,
          "the row has 3 cells, the header has 2",
        ],
        [
          3,
          "the row has 1 cell, the header has 2",
        ],
      ]
    `);
  });

  test('with a quote that nobody closes', async () => {
    const error = await refused('text,intent\nfine,greet\n"hello,greet\nbye,leave\n', 'a.csv');
    expect([error.code, error.exitCode, error.message, error.hint]).toMatchInlineSnapshot(`
      [
        "bad-format",
        3,
        "a.csv:3: the quote that opens a cell is still not closed at the end of the file",
        "close the quote on that line, or double it where it is part of the text",
      ]
    `);
  });

  test('with bytes that are not UTF-8 names their place', async () => {
    const bytes = Buffer.concat([Buffer.from('text,intent\nhello,greet\nb'), Buffer.of(0xe4), Buffer.from('d,x\n')]);
    const error = await refused(bytes, 'a.csv');
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "bad-row",
        "details": {
          "file": "a.csv",
          "line": 3,
          "rejected": 1,
          "row": 2,
          "rows": [
            {
              "code": "bad-row",
              "file": "a.csv",
              "line": 3,
              "message": "byte 0xE4 at offset 25 is not UTF-8; if the file is in Windows-1252, say --encoding windows-1252",
              "row": 2,
            },
          ],
        },
        "exitCode": 3,
        "hint": "mend the rows, or stage the good ones with --rejects <file>",
        "kind": "rejected",
        "message": "a.csv:3: byte 0xE4 at offset 25 is not UTF-8; if the file is in Windows-1252, say --encoding windows-1252 (row 2); nothing was staged",
      }
    `);
    const project = await newProject();
    project.write('a.csv', bytes);
    await project.do('add', 'support', 'a.csv', '--encoding', 'windows-1252');
    await project.do('commit', '-m', 'x');
    expect((await project.do('cat')).stdout).toContain('"bäd"');
  });

  test('that is a spreadsheet', async () => {
    const error = await refused(Buffer.of(0x50, 0x4b, 0x03, 0x04, 0, 0, 0, 0), 'a.xlsx');
    expect([error.code, error.message, error.hint]).toMatchInlineSnapshot(`
      [
        "bad-format",
        "a.xlsx cannot be read as a zip archive: end of central directory record signature not found. Either not a zip file, or file is truncated",
        "export it once more; archives that lead out of their folder or unpack to too much are refused",
      ]
    `);
  });

  test('with two columns of one name, or a reserved one', async () => {
    expect((await refused('text,intent,intent\na,b,c\n', 'a.csv')).message).toMatchInlineSnapshot(
      `"a.csv: columns 2 and 3 are both called "intent""`,
    );
    expect((await refused('text,intent,__proto__\na,b,c\n', 'a.csv')).message).toMatchInlineSnapshot(
      `"a.csv: column 3 may not be called "__proto__""`,
    );
  });

  test('that is empty, or has a header only', async () => {
    expect(await refused('', 'a.csv')).toMatchObject({ code: 'bad-format', exitCode: 3, message: 'a.csv is empty' });
    expect(await refused('text,intent\n', 'a.csv')).toMatchInlineSnapshot(`
      {
        "code": "bad-format",
        "details": {
          "file": "a.csv",
        },
        "exitCode": 3,
        "hint": "look at the file: was it exported with its data? (to empty a dataset, use uttr remove)",
        "kind": "rejected",
        "message": "a.csv has no rows",
      }
    `);
    const replaced = await refused('text,intent\n', 'a.csv', '--replace');
    expect(replaced.code).toBe('bad-format');
  });

  test('of one row without a line end is read', async () => {
    const project = await newProject();
    project.write('a.csv', '\uFEFFtext,intent\r\nhello,greet');
    expect((await project.json('add', 'support', 'a.csv')).rows).toMatchObject({ read: 1, accepted: 1 });
  });

  test('whose texts have blanks at their ends says that they were dropped (F5)', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\n  hello ,greet\nbye,leave\n"in  side",keep\n');
    const { stderr } = await project.do('add', 'support', 'a.csv');
    expect(stderr).toBe('note: a.csv: blanks at the ends of texts were dropped (1 time)\n');
    await project.do('commit', '-m', 'x');
    const texts = (await project.json('cat')).records.map(({ text }: { text: string }) => text);
    expect(texts.toSorted()).toEqual(['bye', 'hello', 'in  side']);
  });

  test('whose labels are named like parts of every object is read and counted', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\none,toString\ntwo,valueOf\nthree,hasOwnProperty\n');
    await project.do('add', 'support', 'a.csv');
    await project.do('commit', '-m', 'x');
    expect((await project.json('stats')).intents.toString).toMatchObject({ rows: 1 });
    expect((await project.json('diff')).byIntent).toEqual({
      toString: { added: 1, removed: 0 },
      valueOf: { added: 1, removed: 0 },
      hasOwnProperty: { added: 1, removed: 0 },
    });
  });
});

describe('JSON', () => {
  test('printed over several lines is no JSON Lines', async () => {
    const error = await refused('{\n  "text": "a",\n  "intent": "b"\n}\n', 'a.jsonl');
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "bad-format",
        "details": {
          "file": "a.jsonl",
          "line": 1,
        },
        "exitCode": 3,
        "hint": "read it with --format json, or print it one object a line (jq -c)",
        "kind": "rejected",
        "message": "a.jsonl holds a JSON object spread over several lines, not one object on each line",
      }
    `);
    expect((await refused('[\n{"text":"a"}\n]\n', 'a.jsonl', '--format', 'jsonl')).code).toBe('bad-format');
  });

  test('with a broken line, a key given twice, and a wrong kind of value', async () => {
    const lines = [
      '{"text":"fine","intent":"greet"}',
      '{"text":"cut',
      '{"text":"a","text":"b"}',
      '{"text":7,"intent":"x"}',
      '"no object"',
    ];
    const error = await refused(`${lines.join('\n')}\n`, 'a.jsonl');
    expect(error.details.rows.map(({ row, line, message }: Json) => [row, line, message])).toMatchInlineSnapshot(`
      [
        [
          2,
          2,
          "not valid JSON: unterminated string at character 13",
        ],
        [
          3,
          3,
          "the key "text" occurs twice",
        ],
        [
          4,
          4,
          ""text" is a number, not a text",
        ],
        [
          5,
          5,
          "a string is neither an object nor a pair [text, intent]",
        ],
      ]
    `);
  });
});

describe('a file', () => {
  test('that does not exist, is a folder, or cannot be read', async () => {
    expect(await refused(undefined, 'none.csv')).toMatchInlineSnapshot(`
      {
        "code": "unreadable-file",
        "details": {
          "file": "none.csv",
        },
        "exitCode": 2,
        "kind": "usage",
        "message": "none.csv does not exist",
      }
    `);
    const project = await newProject();
    project.write('batches/a.csv', 'text,intent\n');
    expect(await project.show('add', 'support', 'batches')).toMatchInlineSnapshot(`
      "[exit 3]
      [stderr]
      error[bad-format]: batches holds no format that uttr knows
      hint: it has a.csv; name the files with the data one by one
      "
    `);
    symlinkSync('loop.csv', project.path('loop.csv'));
    const { error } = await project.json('add', 'support', 'loop.csv');
    expect([error.code, error.exitCode, mask(error.message)]).toMatchInlineSnapshot(`
      [
        "unreadable-file",
        2,
        "loop.csv is a link that leads back to itself",
      ]
    `);
    const inside = await project.json('add', 'support', 'uttr.json/a.csv');
    expect([inside.error.code, mask(inside.error.message)]).toMatchInlineSnapshot(`
      [
        "unreadable-file",
        "uttr.json/a.csv does not exist: what should be a folder of its path is a file",
      ]
    `);
  });

  test('that was not read to its end stages nothing of the others', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\n');
    expect((await project.run('add', 'support', 'a.csv', 'none.csv')).code).toBe(2);
    expect((await project.json('status')).datasets).toEqual([]);
  });

  test('of one line of 200 MB is refused in bounded memory (F1)', async () => {
    const project = await newProject();
    const file = await open(project.path('long.jsonl'), 'w');
    const piece = Buffer.alloc(1 << 20, 0x61);
    await file.write('{"text":"fine","intent":"greet"}\n{"text":"');
    for (let written = 0; written < 200; written++) await file.write(piece);
    await file.write('","intent":"x"}\n');
    await file.close();
    const probe =
      "import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync('rss', String(process.resourceUsage().maxRSS)));";
    const outcome = await finished(
      project.spawn(['add', 'support', 'long.jsonl'], {
        NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(probe)}"`,
      }),
    );
    // Kilobytes: of the line, no more than the reader's limit is held.
    expect(Number(project.read('rss'))).toBeLessThan(400_000);
    expect(outcome.code).toBe(3);
    expect(outcome.stderr).toMatchInlineSnapshot(`
      "error[bad-row]: long.jsonl:2: the line has 209715224 characters; the limit is 8388608 (row 2); nothing was staged
      hint: mend the rows, or stage the good ones with --rejects <file>
      "
    `);
  });
});

describe('a name of a dataset', () => {
  test.each(['../support', 'a/b', 'a\\b', 'a\0b', 'con', 'a..b', '-x', '.hidden', 'x'.repeat(300), '', 'süd'])(
    '%j is refused before anything is written',
    async (name) => {
      const project = await newProject();
      project.write('a.csv', 'text,intent\nhello,greet\n');
      const before = project.files();
      const { error } = await project.json('add', '--', name, 'a.csv');
      expect([error.code, error.exitCode]).toEqual(['bad-dataset-name', 2]);
      expect(project.files()).toEqual(before);
    },
  );

  test('that is a part of every object is no dataset', async () => {
    const project = await committedProject(1);
    for (const name of ['toString', 'constructor']) {
      expect((await project.json('cat', name)).error.code).toBe('unknown-dataset');
      expect((await project.json('diff', name)).error.code).toBe('unknown-dataset');
      expect((await project.json('remove', name, '--text', 'x')).error.code).toBe('unknown-dataset');
    }
  });
});

describe('a pointer', () => {
  async function pointed(change: (text: string) => string): Promise<Project> {
    const project = await committedProject(1);
    project.write('manifests/support.json', change(project.read('manifests/support.json')));
    return project;
  }

  test('changed by hand is said by every command, and can be brought back', async () => {
    const project = await pointed((text) => text.replace('"records": 3', '"records":   3'));
    expect(await project.show('cat')).toMatchInlineSnapshot(`
      "[exit 3]
      [stderr]
      error[bad-pointer]: manifests/support.json was changed by hand: it is not in its one form
      hint: bring it back: git checkout -- manifests/support.json
      "
    `);
    expect(await project.show('status')).toMatchInlineSnapshot(`
      "support: manifests/support.json was changed by hand: it is not in its one form
      "
    `);
    expect((await project.json('add', 'support', 'first.csv')).error.exitCode).toBe(3);
    expect((await project.json('commit', 'support')).error.exitCode).toBe(3);
  });

  test('with a conflict of git says how to merge', async () => {
    const project = await pointed((text) => `<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> other\n`);
    expect(await project.show('show')).toMatchInlineSnapshot(`
      "[exit 3]
      [stderr]
      error[bad-pointer]: manifests/support.json holds an unfinished merge of git
      hint: install the merge driver (uttr git install), then merge again
      "
    `);
  });

  test('that names a version nobody has', async () => {
    const project = await pointed((text) => text.replace(/"version": "[0-9a-f]{4}/u, '"version": "0000'));
    expect(await project.show('show')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-version]: version <id> is neither here nor on a remote
      hint: this project has no remote: ask its owner to push to one, then: uttr remote add origin <url>
      "
    `);
    const remote = await pointed((text) => text.replace(/"version": "[0-9a-f]{4}/u, '"version": "0000'));
    await remote.do('remote', 'add', 'origin', 'store');
    expect(await remote.show('show')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-version]: version <id> is neither here nor on a remote
      hint: whoever made it has not pushed it yet (to origin): ask for uttr push
      "
    `);
    expect((await remote.json('status')).datasets[0].local).toBe('absent');
  });

  test('of a newer format', async () => {
    const project = await pointed((text) => text.replace('"uttr": 1', '"uttr": 2'));
    expect((await project.json('show')).error).toMatchObject({ code: 'format-too-new', exitCode: 7 });
  });
});

describe('what a newer uttr wrote', () => {
  const tooNew = { code: 'format-too-new', exitCode: 7, hint: expect.stringContaining('uttr') };

  test('a store', async () => {
    const project = await committedProject(1);
    project.write('.uttr/format.json', project.read('.uttr/format.json').replace('"uttr":1', '"uttr":2'));
    expect((await project.json('status')).error).toMatchObject(tooNew);
  });

  test('a catalogue', async () => {
    const project = await committedProject(1);
    const db = new Database(project.path('.uttr/catalogue.db'));
    db.pragma('user_version = 99');
    db.close();
    expect((await project.json('cat')).error).toMatchObject(tooNew);
  });

  test('a manifest', async () => {
    const project = await committedProject(1);
    const { version } = await project.json('show');
    const db = new Database(project.path('.uttr/catalogue.db'));
    const row = db.prepare('SELECT * FROM versions WHERE hash = ?').get(version) as Json;
    const manifest = row.manifest.replace('"uttr":1', '"uttr":2');
    const hash = createHash('sha256').update(manifest).digest('hex');
    db.prepare('INSERT INTO versions (hash, dataset, time, manifest) VALUES (?, ?, ?, ?)').run(
      hash,
      row.dataset,
      row.time,
      manifest,
    );
    db.close();
    project.write('manifests/support.json', project.read('manifests/support.json').replace(version, hash));
    expect((await project.json('cat')).error).toMatchObject(tooNew);
  });

  test('a configuration', async () => {
    const project = await newProject();
    project.write('uttr.json', '{"uttr": 2}');
    expect((await project.json('status')).error).toMatchObject(tooNew);
  });
});

describe('uttr.json', () => {
  test('with several problems tells all of them, and what was meant', async () => {
    const project = await newProject();
    project.write(
      'uttr.json',
      JSON.stringify({
        uttr: 1,
        remote: {},
        datasets: {
          support: { splits: {}, split: { sides: { train: 0.8, test: 0.1 }, stratfy: ['intent'] }, identity: ['name'] },
        },
      }),
    );
    const outcome = await project.run('status');
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatchInlineSnapshot(`
      "error[bad-config]: uttr.json: 5 problems
        unknown key "remote" (did you mean "remotes"?)
        unknown key "datasets.support.splits" (did you mean "split"?)
        datasets.support.identity: "name" is no field (intent, lang, id or features.<name>)
        unknown key "datasets.support.split.stratfy" (did you mean "stratify"?)
        datasets.support.split: the shares add up to 0.9, not to 1
      hint: see "Configuration" in the README
      "
    `);
    expect((await project.json('status')).error.details.problems).toHaveLength(5);
  });

  test('that is no JSON names the place', async () => {
    const project = await newProject();
    project.write('uttr.json', '{"uttr": 1,\n"datasets": {},}');
    expect(await project.show('status')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-config]: uttr.json is not JSON: Expected double-quoted property name in JSON at position 27 (line 2 column 16)
      hint: mend the file, or compare it with: git diff uttr.json
      "
    `);
  });

  test('saved with a mark by an editor is read, and written without it', async () => {
    const project = await newProject();
    project.write('uttr.json', `\uFEFF${project.read('uttr.json')}`);
    project.write('a.csv', utterances(1));
    await project.do('add', 'support', 'a.csv');
    expect(project.read('uttr.json')).toMatch(/^\{/u);
  });
});
