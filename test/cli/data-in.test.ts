/** init, add, remove, relabel, status, reset, commit: text, JSON, exit codes. */
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, mask, newProject, Project, utterances } from './harness.ts';

describe('init', () => {
  test('makes a project and says what to do next', async () => {
    const project = new Project(temporaryDirectory());
    expect(await project.show('init')).toMatchInlineSnapshot(`
      "Made uttr.json, .uttr/, .gitignore.
      No git repository here: run uttr init again inside one.
      Next: uttr add <dataset> <file>
      "
    `);
    expect(await project.show('init')).toMatchInlineSnapshot(`
      "This is a uttr project already.
      No git repository here: run uttr init again inside one.
      Next: uttr add <dataset> <file>
      "
    `);
    expect(project.read('uttr.json')).toMatchInlineSnapshot(`
      "{
        "uttr": 1,
        "remotes": {},
        "datasets": {}
      }
      "
    `);
  });

  test('prints its summary as JSON', async () => {
    const project = new Project(temporaryDirectory());
    const summary = await project.json('init', '--remote', 'store');
    expect(summary).toEqual({ root: project.folder, created: ['uttr.json', '.uttr/', '.gitignore'], git: false });
    expect(JSON.parse(project.read('uttr.json'))).toMatchObject({ remotes: { origin: { url: expect.any(String) } } });
  });

  test('refuses a folder inside another project', async () => {
    const project = await newProject();
    project.write('inner/note.txt', '');
    expect(await project.show('-C', 'inner', 'init')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-config]: <folder>/inner lies inside the uttr project <folder>
      hint: work in <folder>, or choose a folder outside it
      "
    `);
  });
});

describe('add', () => {
  test('says what it read and what it changes', async () => {
    const project = await newProject();
    project.write('a.csv', 'Phrase,Label,role\nHello there,greet,agent\nBye,leave,\nbye!,leave,\n');
    expect(await project.show('add', 'support', 'a.csv')).toMatchInlineSnapshot(`
      "a.csv: csv, 3 rows (Phrase → text, Label → intent, role → features.role)
        3  accepted
        1  of them there already but for case, blanks or punctuation
      Changes: 3 added.
      New intents: greet, leave.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
  });

  test('prints every promised field as JSON', async () => {
    const project = await newProject();
    project.write('a.jsonl', '{"text":"hello","intent":"greet"}\n{"text":"bye","intent":"leave"}\n');
    expect(mask(JSON.stringify(await project.json('add', 'support', 'a.jsonl'), null, 1))).toMatchInlineSnapshot(`
      "{
       "dataset": "support",
       "batch": {
        "name": "a.jsonl",
        "sha256": "<hash>",
        "bytes": 66
       },
       "batches": [
        {
         "name": "a.jsonl",
         "sha256": "<hash>",
         "bytes": 66,
         "rows": 2
        }
       ],
       "rows": {
        "read": 2,
        "accepted": 2,
        "rejected": 0,
        "duplicate": 0,
        "repeated": 0,
        "echoed": 0,
        "unlabelled": 0,
        "invisible": 0,
        "conflict": 0,
        "kept": 0
       },
       "changes": {
        "added": 2,
        "relabelled": 0,
        "updated": 0,
        "removed": 0
       },
       "cleaned": {},
       "newIntents": [
        "greet",
        "leave"
       ],
       "intents": [
        {
         "intent": "greet",
         "before": 0,
         "after": 1
        },
        {
         "intent": "leave",
         "before": 0,
         "after": 1
        }
       ],
       "nearDuplicates": {
        "count": 0,
        "first": []
       },
       "checks": null,
       "unlabelled": [],
       "invisible": [],
       "rejected": [],
       "staged": true,
       "dropped": false,
       "dryRun": false
      }"
    `);
  });

  test('the same file again changes nothing and says so', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\nbye,leave\n');
    await project.do('add', 'support', 'a.csv');
    const staged = project.files();
    expect(await project.show('add', 'support', 'a.csv')).toMatchInlineSnapshot(`
      "a.csv: csv, 2 rows (text, intent)
      Nothing to do: all 2 rows are in support already.
      "
    `);
    expect(project.files()).toEqual(staged);
    await project.do('commit', '-m', 'x');
    const committed = project.files();
    expect((await project.do('add', 'support', 'a.csv')).stdout).toContain('Nothing to do');
    expect(project.files()).toEqual(committed);
    expect(await project.show('status')).toMatchInlineSnapshot(`
      "support@<id>: 2 records, train 2 (100.0 %)  test 0 (0.0 %)
        data here; not known on a remote
        nothing staged
      "
    `);
  });

  test('writes the defaults of a new dataset into uttr.json', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\n');
    await project.do('add', 'support', 'a.csv');
    expect(JSON.parse(project.read('uttr.json'))).toEqual({
      uttr: 1,
      remotes: {},
      datasets: {
        support: {
          identity: [],
          split: { method: 'sticky', sides: { train: 0.75, test: 0.25 }, salt: 'support', stratify: ['intent'] },
          clean: {},
          checks: {},
          retrain: {},
          gates: {},
        },
      },
    });
    expect(project.read('uttr.json').indexOf('"train"')).toBeLessThan(project.read('uttr.json').indexOf('"test"'));
  });

  test('a typo makes no second dataset; --new does', async () => {
    const project = await committedProject();
    expect(await project.show('add', 'suport', 'first.csv')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-dataset]: there is no dataset "suport"
      hint: did you mean "support"? To make another dataset, say --new
      "
    `);
    expect(await project.show('add', 'billing', 'first.csv')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-dataset]: there is no dataset "billing"
      hint: there is support; to make another dataset, say --new
      "
    `);
    expect((await project.run('add', '--new', 'billing', 'first.csv')).code).toBe(0);
    expect(Object.keys((JSON.parse(project.read('uttr.json')) as { datasets: object }).datasets)).toEqual([
      'support',
      'billing',
    ]);
  });

  test('a dry run leaves no trace but the index of like texts', async () => {
    const project = await committedProject();
    project.write('b.csv', 'text,intent\nnew words,greet\nbad,\n');
    const traces = (): string[][] =>
      Object.entries(project.files()).filter(([path]) => !path.startsWith('.uttr/similar/'));
    const before = traces();
    expect(await project.show('add', 'support', 'b.csv', '--dry-run')).toMatchInlineSnapshot(`
      "[exit 3]
      b.csv: csv, 2 rows (text, intent)
        1  accepted
        1  rejected
      Would change: 1 added.
      Texts by intent: greet 8 → 9.
        b.csv:3: "intent" is empty (row 2)
      Checks: 1 warning.
        warn  minimum-per-intent: "greet" has 7 texts in train; at least 10 are wanted
              → add texts of this intent, or merge it into another: uttr relabel
      Nothing was staged (dry run); without --rejects, the bad rows would stop the batch.
      "
    `);
    expect(await project.show('add', 'support', 'b.csv', '--dry-run', '--rejects', 'bad.csv')).toMatchInlineSnapshot(`
      "b.csv: csv, 2 rows (text, intent)
        1  accepted
        1  rejected
      Would change: 1 added.
      Texts by intent: greet 8 → 9.
        b.csv:3: "intent" is empty (row 2)
      Checks: 1 warning.
        warn  minimum-per-intent: "greet" has 7 texts in train; at least 10 are wanted
              → add texts of this intent, or merge it into another: uttr relabel
      Nothing was staged (dry run).
      "
    `);
    expect((await project.run('add', '--new', 'other', 'first.csv', '--dry-run')).code).toBe(0);
    expect(traces()).toEqual(before);
    expect((await project.json('status')).datasets[0].staged).toBeNull();
  });

  test('standard input is read as CSV and as JSON Lines', async () => {
    const project = await newProject();
    const csv = await project.runWith({ stdin: 'text,intent\nhello,greet\n' }, 'add', 'support', '-');
    expect(csv.stdout).toMatchInlineSnapshot(`
      "<stdin>: csv, 1 row (text, intent)
        1  accepted
      Changes: 1 added.
      New intent: greet.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    const jsonl = await project.runWith(
      { stdin: '{"text":"bye","intent":"leave"}\n' },
      'add',
      'support',
      '-',
      '--json',
    );
    expect(JSON.parse(jsonl.stdout)).toMatchObject({ rows: { read: 1, accepted: 1 }, batch: { name: '<stdin>' } });
    expect((await project.runWith({ stdin: '' }, 'add', 'support', '-')).code).toBe(3);
  });

  test('--map and --columns say which column is what', async () => {
    const project = await newProject();
    project.write('mapped.csv', 'A;B;C\nhello;greet;agent\n');
    expect(await project.show('add', 'support', 'mapped.csv', '--map', 'text=A,intent=B', '--map', 'features.role=C'))
      .toMatchInlineSnapshot(`
        "mapped.csv: csv, 1 row (A → text, B → intent, C → features.role)
          1  accepted
        Changes: 1 added.
        New intent: greet.
        Staged. Next: uttr commit support -m "what this batch is"
        "
      `);
    project.write('bare.csv', 'good bye,leave\n');
    expect(await project.show('add', 'support', 'bare.csv', '--columns', 'text,intent')).toMatchInlineSnapshot(`
      "bare.csv: csv, 1 row (text, intent)
        1  accepted
      Changes: 1 added.
      New intent: leave.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    await project.do('commit', '-m', 'x');
    expect((await project.do('cat')).stdout).toContain('{"features":{"role":"agent"},"intent":"greet","text":"hello"}');
    expect((await project.do('cat')).stdout).toContain('{"intent":"leave","text":"good bye"}');
    expect(await project.show('add', 'support', 'bare.csv', '--map', 'text')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: option '--map <field=column,…>' argument 'text' is invalid. write it as field=column, e.g. text=Phrase
      hint: see: uttr add --help
      "
    `);
    expect(await project.show('add', 'support', 'mapped.csv', '--map', 'txt=A')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: "txt" is not a field of a record
      hint: did you mean "text"?
      "
    `);
  });

  test('--map takes columns with commas and equals signs in their names', async () => {
    const project = await newProject();
    project.write('a.csv', '"Phrase, as said";a=b;Topic\nhello;x;greet\n');
    const map = 'text=Phrase, as said,features.c=a=b, intent=Topic';
    expect((await project.do('add', 'support', 'a.csv', '--map', map)).stdout).toContain(
      'a.csv: csv, 1 row (Phrase, as said → text, a=b → features.c, Topic → intent)',
    );
  });

  test('several files are one batch, and all of them or none are staged', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\n');
    project.write('b.jsonl', '{"text":"bye","intent":"leave"}\n');
    project.write('bad.csv', 'text,intent\nfine,greet\n,greet\n');
    expect((await project.run('add', 'support', 'a.csv', 'bad.csv', 'b.jsonl')).code).toBe(3);
    expect(project.has('uttr.json') && project.read('uttr.json')).not.toContain('support');
    expect(await project.show('add', 'support', 'a.csv', 'b.jsonl')).toMatchInlineSnapshot(`
      "a.csv: csv, 1 row (text, intent)
      b.jsonl: jsonl, 1 row (text, intent)
        2  accepted
      Changes: 2 added.
      New intents: greet, leave.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    const { datasets } = await project.json('status');
    expect(datasets[0].staged.batches.map(({ name, rows }: { name: string; rows: number }) => [name, rows])).toEqual([
      ['a.csv', 1],
      ['b.jsonl', 1],
    ]);
  });
});

const TWO_LABELS = 'text,intent\nhello,greet\nok,fine\nHELLO,leave\n';

describe('add --on-conflict', () => {
  const other = 'text,intent\ngreet number 0,leave\nbrand new,greet\n';

  test('error refuses the batch and names both labels', async () => {
    const project = await committedProject();
    project.write('b.csv', other);
    const before = project.files();
    expect(await project.show('add', 'support', 'b.csv')).toMatchInlineSnapshot(`
      "[exit 3]
      [stderr]
      error[conflicting-label]: b.csv:2: "greet number 0" has the label "leave", but "greet" in the dataset (row 1); nothing was staged
      hint: decide which label holds: --on-conflict relabel (the file's) or --on-conflict keep (the one there)
      "
    `);
    expect(project.files()).toEqual(before);
  });

  test('relabel takes the label of the file, keep the one there', async () => {
    const project = await committedProject();
    project.write('b.csv', other);
    expect(await project.show('add', 'support', 'b.csv', '--on-conflict', 'keep')).toMatchInlineSnapshot(`
      "b.csv: csv, 2 rows (text, intent)
        1  accepted
        1  with another label than the one there, which was kept
      Changes: 1 added.
      Texts by intent: greet 8 → 9.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    await project.do('reset');
    expect(await project.show('add', 'support', 'b.csv', '--on-conflict', 'relabel')).toMatchInlineSnapshot(`
      "b.csv: csv, 2 rows (text, intent)
        2  accepted
      Changes: 1 added, 1 relabelled.
      Texts by intent: leave 8 → 9.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    await project.do('commit', '-m', 'x');
    expect((await project.json('blame', 'support', 'greet number 0')).utterances[0].intent).toBe('leave');
  });

  test.each([
    ['keep', 'greet'],
    ['relabel', 'leave'],
  ] as const)('%s settles two labels inside one file', async (way, intent) => {
    const project = await newProject();
    project.write('a.csv', TWO_LABELS);
    await project.do('add', 'support', 'a.csv', '--on-conflict', way);
    await project.do('commit', '-m', 'x');
    const lines = (await project.do('grep', 'hello')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ intent, text: 'hello' }]);
  });

  test('error names the line of the other label inside one file', async () => {
    const project = await newProject();
    project.write('a.csv', TWO_LABELS);
    expect(await project.show('add', 'support', 'a.csv')).toMatchInlineSnapshot(`
      "[exit 3]
      [stderr]
      error[conflicting-label]: a.csv:4: "hello" has the label "leave", but "greet" at a.csv:2 (row 3); nothing was staged
      hint: decide which label holds: --on-conflict relabel (the file's) or --on-conflict keep (the one there)
      "
    `);
    const { error } = await project.json('add', 'support', 'a.csv');
    expect(error).toMatchObject({ code: 'conflicting-label', details: { file: 'a.csv', row: 3, line: 4 } });
    expect(error.details.column).toBe('intent');
  });
});

describe('add --replace', () => {
  test('removes what the files lack, and the same files again change nothing', async () => {
    const project = await committedProject(3);
    project.write('whole.csv', utterances(2));
    expect(await project.show('add', 'support', 'whole.csv', '--replace')).toMatchInlineSnapshot(`
      "whole.csv: csv, 6 rows (text, intent)
        6  there already
      Changes: 3 removed.
      Texts by intent: greet 3 → 2, leave 3 → 2, order 3 → 2.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    await project.do('commit', '-m', 'smaller');
    expect((await project.json('stats')).rows).toBe(6);
    expect(await project.show('add', 'support', 'whole.csv', '--replace')).toMatchInlineSnapshot(`
      "whole.csv: csv, 6 rows (text, intent)
      Nothing to do: all 6 rows are in support already.
      "
    `);
    expect((await project.json('status')).datasets[0].staged).toBeNull();
  });

  test('drops what was staged where the files are what the version has', async () => {
    const project = await committedProject(2);
    project.write('more.csv', 'text,intent\nsomething else,greet\n');
    await project.do('add', 'support', 'more.csv');
    expect(await project.show('add', 'support', 'first.csv', '--replace')).toMatchInlineSnapshot(`
      "first.csv: csv, 6 rows (text, intent)
      Nothing to do: all 6 rows are in support already.
      What was staged before was dropped.
      "
    `);
    expect((await project.json('status')).datasets[0].staged).toBeNull();
  });

  test('says that rejected rows stand for records that are gone', async () => {
    const project = await committedProject(1);
    project.write('whole.csv', 'text,intent\ngreet number 0,greet\nleave number 0,\n');
    const outcome = await project.do('add', 'support', 'whole.csv', '--replace', '--rejects', 'bad.csv');
    expect(outcome.stderr).toMatchInlineSnapshot(`
      "warning: --replace removes what the files lack: a record whose row was rejected is among that until the mended row is added
      "
    `);
    expect((await project.json('status')).datasets[0].staged.changes.removed).toBe(2);
  });
});

describe('add --rejects', () => {
  test('stages the good rows; the mended rejects file can be added as it is', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent,role\nhello,greet,agent\n,greet,\n"two\nlines",,user\n');
    expect(await project.show('add', 'support', 'a.csv', '--rejects', 'bad.csv')).toMatchInlineSnapshot(`
      "a.csv: csv, 3 rows (text, intent, role → features.role)
        1  accepted
        2  rejected
      Changes: 1 added.
      New intent: greet.
        a.csv:3: "text" is empty (row 2)
        a.csv:4: "intent" is empty (row 3)
      The rejected rows are in bad.csv: mend them there, then: uttr add support bad.csv
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    expect(project.read('bad.csv')).toMatchInlineSnapshot(`
      "text,intent,role,uttr_problem
      ,greet,,"""text"" is empty"
      "two
      lines",,user,"""intent"" is empty"
      "
    `);
    project.write(
      'bad.csv',
      project.read('bad.csv').replace(',greet,,', 'bye,greet,,').replace(',,user', ',leave,user'),
    );
    expect(await project.show('add', 'support', 'bad.csv')).toMatchInlineSnapshot(`
      "bad.csv: csv, 2 rows (text, intent, role → features.role, uttr_problem → ignored)
        2  accepted
      Changes: 2 added.
      New intent: leave.
      Staged. Next: uttr commit support -m "what this batch is"
      "
    `);
    await project.do('commit', '-m', 'x');
    expect((await project.do('cat')).stdout.trim().split('\n').sort()).toMatchInlineSnapshot(`
      [
        "{"features":{"role":"agent"},"intent":"greet","text":"hello"}",
        "{"features":{"role":"user"},"intent":"leave","text":"two\\nlines"}",
        "{"intent":"greet","text":"bye"}",
      ]
    `);
  });

  test('holds rows refused for their label with all their columns', async () => {
    const project = await newProject();
    project.write(
      'a.csv',
      'Satz,Absicht,role,meta.source,id\nhello,greet,agent,mail,1\nhello,leave,user,"web, new",2\n',
    );
    const map = ['--map', 'text=Satz,intent=Absicht'];
    await project.do('add', 'support', 'a.csv', ...map, '--rejects', 'bad.csv');
    expect(project.read('bad.csv')).toMatchInlineSnapshot(`
      "Satz,Absicht,role,meta.source,id,uttr_problem
      hello,leave,user,"web, new",2,"""hello"" has the label ""leave"", but ""greet"" at a.csv:2"
      "
    `);
    expect((await project.run('add', 'support', 'bad.csv', ...map, '--on-conflict', 'relabel')).code).toBe(0);
    await project.do('commit', '-m', 'x');
    expect((await project.do('cat')).stdout).toMatchInlineSnapshot(`
      "{"features":{"role":"user"},"id":"2","intent":"leave","meta":{"source":"web, new"},"text":"hello"}
      "
    `);
  });

  test('of JSON Lines keeps the keys that --map reads', async () => {
    const project = await newProject();
    project.write(
      'a.jsonl',
      '{"Satz":"hello","Absicht":"greet","source":"x"}\n{"Satz":"hello","Absicht":"leave"}\n{"Satz":""}\n',
    );
    const map = ['--map', 'text=Satz,intent=Absicht'];
    await project.do('add', 'support', 'a.jsonl', ...map, '--rejects', 'bad.jsonl');
    expect(project.read('bad.jsonl')).toMatchInlineSnapshot(`
      "{"uttr_problem":"\\"Absicht\\" is missing","Satz":""}
      {"uttr_problem":"\\"hello\\" has the label \\"leave\\", but \\"greet\\" at a.jsonl:1","Satz":"hello","Absicht":"leave"}
      "
    `);
  });

  test('refuses to hold bad rows of files with different columns', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nok,fine\n,greet\n');
    project.write('b.csv', 'intent,text\ngreet,\n');
    const before = project.files();
    expect(await project.show('add', 'support', 'a.csv', 'b.csv', '--rejects', 'bad.csv')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: b.csv has other columns than a.csv, so bad.csv cannot hold bad rows of both
      hint: add the files one by one, each with a rejects file of its own
      "
    `);
    expect(project.files()).toEqual(before);
  });

  test('of bad rows only writes the file and makes no dataset', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\n,greet\n');
    expect(await project.show('add', 'support', 'a.csv', '--rejects', 'bad.csv')).toMatchInlineSnapshot(`
      "a.csv: csv, 1 row (text, intent)
        1  rejected
      Changes: nothing.
        a.csv:2: "text" is empty (row 1)
      The rejected rows are in bad.csv: mend them there, then: uttr add support bad.csv
      "
    `);
    expect(project.has('bad.csv')).toBe(true);
    expect(project.read('uttr.json')).not.toContain('support');
  });
});

describe('remove, relabel, reset, status', () => {
  test('remove stages removals by text and by intent', async () => {
    const project = await committedProject(3);
    expect(await project.show('remove', '--text', 'GREET number 0', '--text', 'unknown words')).toMatchInlineSnapshot(`
      "1 record matched: 1 removed.
        not there: "unknown words"
      Staged. Next: uttr commit support -m "why"
      "
    `);
    expect(await project.show('remove', 'support', '--where', 'intent=leave')).toMatchInlineSnapshot(`
      "3 records matched: 3 removed.
      Staged. Next: uttr commit support -m "why"
      "
    `);
    expect(await project.show('remove', '--text', 'nobody said this')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-utterance]: nothing in support matches
      hint: look what is there: uttr grep <text> support, uttr stats support
      "
    `);
    expect(await project.show('remove')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: no records are named
      hint: name them: --text, --from-file or --where
      "
    `);
    const staged = await project.json('remove', '--where', 'intent=order', '--dry-run');
    expect(staged).toMatchObject({ dataset: 'support', matched: 3, missing: [], staged: false, dryRun: true });
  });

  test('relabel moves records from one intent to another, and they stay on their side', async () => {
    const project = await committedProject(4);
    expect(await project.show('relabel', '--from', 'leave', '--to', 'goodbye')).toMatchInlineSnapshot(`
      "4 records matched: 4 relabelled.
      Staged. Next: uttr commit support -m "why"
      "
    `);
    await project.do('commit', '-m', 'rename');
    expect((await project.json('stats')).intents).toMatchObject({ goodbye: { rows: 4 } });
    expect((await project.json('relabel', '--from', 'leave', '--to', 'x')).error.code).toBe('unknown-utterance');
    expect((await project.json('relabel', '--from', 'greet', '--to', '')).error.code).toBe('bad-option');
  });

  test('texts for remove come from a file, or from standard input', async () => {
    const project = await committedProject(2);
    project.write('list.txt', 'greet number 0\r\n\r\ngreet number 1\r\n');
    expect((await project.json('remove', '--from-file', 'list.txt')).matched).toBe(2);
    const piped = await project.runWith({ stdin: 'leave number 0\n' }, 'remove', '--from-file', '-', '--json');
    expect(JSON.parse(piped.stdout)).toMatchObject({ matched: 1, staged: true });
    expect((await project.json('remove', '--from-file', 'none.txt')).error).toMatchObject({
      code: 'unreadable-file',
      message: 'none.txt does not exist',
    });
  });

  test('reset drops what is staged', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\nhello,greet\n');
    await project.do('add', 'support', 'a.csv');
    expect(await project.show('reset')).toMatchInlineSnapshot(`
      "Dropped what was staged for support.
      "
    `);
    expect(await project.json('reset')).toEqual({ dataset: 'support', dropped: false });
    expect(await project.show('commit')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[nothing-staged]: nothing is staged
      hint: add a batch first: uttr add <dataset> <file>
      "
    `);
  });

  test('status tells what is staged and where the data is; --exit-code answers with 1', async () => {
    const project = await committedProject();
    expect(await project.show('status', '--exit-code')).toMatchInlineSnapshot(`
      "support@<id>: 24 records, train 18 (75.0 %)  test 6 (25.0 %)
        data here; not known on a remote
        nothing staged
      "
    `);
    project.write('b.csv', 'text,intent\nanother,greet\n');
    await project.do('add', 'support', 'b.csv');
    expect(await project.show('status', '--exit-code')).toMatchInlineSnapshot(`
      "[exit 1]
      support@<id>: 24 records, train 18 (75.0 %)  test 6 (25.0 %)
        data here; not known on a remote
        staged: 1 added (commit with: uttr commit support -m "…")
          b.csv, 1 row
      "
    `);
    const [dataset] = (await project.json('status')).datasets;
    expect(dataset).toMatchObject({
      dataset: 'support',
      version: expect.stringMatching(/^[0-9a-f]{64}$/u),
      staged: { changes: { added: 1, relabelled: 0, updated: 0, removed: 0 } },
      local: 'complete',
      remote: 'unknown',
      changed: true,
    });
    expect(Object.keys(dataset.sides)).toEqual(['train', 'test']);
  });
});

describe('commit', () => {
  test('prints the split and the separation, train first', async () => {
    const project = await newProject();
    project.write('a.csv', utterances(8));
    await project.do('add', 'support', 'a.csv');
    expect(await project.show('commit', '-m', 'first')).toMatchInlineSnapshot(`
      "committed support@<id>
        24 added
        train 18 (75.0 %)  test 6 (25.0 %)  0 crossed
        pointer: manifests/support.json
      "
    `);
  });

  test('prints every promised field as JSON', async () => {
    const project = await newProject();
    project.write('a.csv', utterances(4));
    await project.do('add', 'support', 'a.csv');
    const summary = await project.json('commit', '-m', 'first', '--author', 'Grace');
    expect(mask(JSON.stringify(summary, null, 1))).toMatchInlineSnapshot(`
      "{
       "dataset": "support",
       "version": "<hash>",
       "parent": null,
       "content": "<hash>",
       "rows": 12,
       "unlabelled": 0,
       "sides": {
        "train": 9,
        "test": 3
       },
       "changes": {
        "added": 12,
        "relabelled": 0,
        "updated": 0,
        "removed": 0
       },
       "crossed": 0,
       "allowed": [],
       "pointer": "manifests/support.json",
       "warnings": []
      }"
    `);
    expect((await project.json('show')).author).toBe('Grace');
  });

  test('of several datasets tells those that were committed before one failed', async () => {
    const project = await committedProject();
    await project.do('add', '--new', 'another', 'first.csv');
    project.write('b.csv', 'text,intent\nmore,greet\n');
    await project.do('add', 'support', 'b.csv');
    const config = project.read('uttr.json');
    project.write('uttr.json', config.replace('"salt": "support"', '"salt": "other"'));
    const outcome = await project.run('commit', '-m', 'both');
    expect(outcome.code).toBe(2);
    expect(mask(outcome.stderr)).toMatchInlineSnapshot(`
      "committed another@<id>
        24 added
        train 18 (75.0 %)  test 6 (25.0 %)  0 crossed
        pointer: manifests/another.json
      error[bad-config]: the split or identity of support in uttr.json is not that of its versions
      hint: put it back: "split": {"method":"sticky","salt":"support","sides":{"test":0.25,"train":0.75},"stratify":["intent"]}, "identity": []; another split needs a new dataset, so that train and test stay apart
      "
    `);
    project.write('uttr.json', config);
    expect((await project.json('commit', '-m', 'rest')).dataset).toBe('support');
  });
});
