/** log, show, diff, blame, tag, cat, grep, sample, stats, export, fsck, events: text, JSON, exit codes. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { mask, Project, shown } from './harness.ts';

/** Three versions: a first batch, one that relabels, edits, updates and removes, one that adds. */
async function makeHistory(project: Project): Promise<void> {
  await project.do('init');
  project.write(
    'first.csv',
    [
      'text,intent,role',
      ...['hello there', 'good morning', 'hi you', 'hey friend'].map((text) => `${text},greet,user`),
      ...['good bye', 'see you later', 'farewell', 'so long'].map((text) => `${text},leave,agent`),
      'stop the music now,music,user',
      '',
    ].join('\n'),
  );
  await project.do('add', 'support', 'first.csv');
  await project.do('commit', '-m', 'first batch');
  project.write(
    'second.csv',
    'text,intent,role\nso long,greet,agent\nhey friend,greet,agent\nstop the sound now,music,user\n',
  );
  await project.do('add', 'support', 'second.csv', '--on-conflict', 'relabel');
  await project.do('remove', '--text', 'stop the music now', '--text', 'farewell');
  await project.do('commit', '-m', 'clean up', '--author', 'Grace Hopper <grace@example.org>');
  project.write('third.csv', 'text,intent\nnew words,greet\n');
  await project.do('add', 'support', 'third.csv');
  await project.do('commit', '-m', 'more');
}

const made = mkdtempSync(join(tmpdir(), 'uttr-test-'));
beforeAll(() => makeHistory(new Project(made)));
afterAll(() => rmSync(made, { recursive: true, force: true }));

let project: Project;
beforeEach(() => {
  project = new Project(temporaryDirectory());
  cpSync(made, project.folder, { recursive: true });
});

describe('log and show', () => {
  test('log lists versions, newest first', async () => {
    await project.do('tag', 'v1', 'HEAD~2');
    expect(await project.show('log')).toMatchInlineSnapshot(`
      "<id>  <time>  Ada Lovelace <ada@example.org>
          more
          9 rows; 1 added
      <id>  <time>  Grace Hopper <grace@example.org>
          clean up
          8 rows; 1 added, 1 relabelled, 1 updated, 2 removed
      <id> (v1)  <time>  Ada Lovelace <ada@example.org>
          first batch
          9 rows; 9 added
      "
    `);
    expect((await project.do('log', '-n', '1')).stdout).toContain('more');
    const { versions } = await project.json('log', 'support');
    expect(versions).toHaveLength(3);
    expect(mask(JSON.stringify(versions[1], null, 1))).toMatchInlineSnapshot(`
      "{
       "dataset": "support",
       "version": "<hash>",
       "parents": [
        "<hash>"
       ],
       "time": "<time>",
       "author": "Grace Hopper <grace@example.org>",
       "message": "clean up",
       "rows": 8,
       "sides": {
        "train": 6,
        "test": 2
       },
       "changes": {
        "added": 1,
        "relabelled": 1,
        "updated": 1,
        "removed": 2
       },
       "crossed": 0,
       "allowed": [],
       "batches": [
        {
         "name": "second.csv",
         "rows": 3,
         "sha256": "<hash>"
        }
       ],
       "tags": []
      }"
    `);
  });

  test('show describes one version by hash, prefix, tag and step', async () => {
    expect(await project.show('show', 'HEAD~1')).toMatchInlineSnapshot(`
      "version  support@<hash>
      content  <hash>
      parent   <hash>
      author   Grace Hopper <grace@example.org>
      time     <time>
      message  clean up
      changes  1 added, 1 relabelled, 1 updated, 2 removed
      split    train 6 (75.0 %)  test 2 (25.0 %)  0 crossed
      batch    second.csv, 3 rows, sha256 <id>

        intent  rows  train  test
        greet      5      4     1
        leave      2      1     1
        music      1      1     0
      "
    `);
    const { version } = await project.json('show', 'support@HEAD~1');
    await project.do('tag', 'v1', 'HEAD~1');
    for (const name of [version, version.slice(0, 6), `support@${version.slice(0, 10)}`, 'support@v1', '@v1']) {
      expect((await project.json('show', name)).version).toBe(version);
    }
    const keys = [
      'author',
      'batches',
      'changes',
      'content',
      'intents',
      'message',
      'parents',
      'sides',
      'time',
      'version',
    ];
    expect(Object.keys(await project.json('show'))).toEqual(expect.arrayContaining(keys));
  });

  test('names of versions that lead nowhere say what there is', async () => {
    expect(await project.show('show', 'HEAD~9')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-version]: support@HEAD~9 goes back before the first version
      hint: see: uttr log support
      "
    `);
    expect(await project.show('show', 'suport')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-dataset]: there is no dataset "suport"
      hint: did you mean "support"?
      "
    `);
    await project.do('tag', 'v1');
    expect(await project.show('show', 'support@v2')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-version]: support has no version "v2"
      hint: did you mean "v1"?
      "
    `);
    expect((await project.json('show', 'support@abc')).error.hint).toBe('give at least 6 digits of the hash');
    expect((await project.json('show', 'git:main')).error.code).toBe('unknown-version');
  });
});

describe('diff', () => {
  test('shows rows as added, removed, relabelled, updated and edited', async () => {
    expect(await project.show('diff', 'HEAD~2', 'HEAD~1')).toMatchInlineSnapshot(`
      "support <id> → <id>: 1 relabelled, 1 edited, 1 updated, 1 removed
        train: 1 relabelled, 1 edited, 1 updated, 1 removed
        leave: −2
        greet: +1

      - farewell  [leave] (train)
      ~ hey friend  [greet] (train)
          features.role: user → agent
      ~ so long  [leave → greet] (train)
      ~ stop the [-music-]{+sound+} now  [music] (train)
      "
    `);
    expect(await project.show('diff', '--stat', 'HEAD~2', 'HEAD')).toMatchInlineSnapshot(`
      "support <id> → <id>: 1 added, 1 relabelled, 1 edited, 1 updated, 1 removed
        train: 1 added, 1 relabelled, 1 edited, 1 updated, 1 removed
        leave: −2
        greet: +2
      "
    `);
  });

  test('answers with 1 where asked and something differs', async () => {
    expect((await project.run('diff', '--exit-code')).code).toBe(1);
    expect((await project.run('diff', '--exit-code', 'HEAD', 'HEAD')).code).toBe(0);
    expect((await project.run('diff', '--exit-code', '--format', 'jsonl')).code).toBe(1);
  });

  test('prints the promised fields as JSON', async () => {
    const diff = await project.json('diff', 'HEAD~2', 'HEAD~1');
    expect(Object.keys(diff)).toEqual([
      'dataset',
      'from',
      'to',
      'summary',
      'bySide',
      'byIntent',
      'changes',
      'truncated',
    ]);
    expect(diff.summary).toEqual({ added: 0, removed: 1, relabelled: 1, updated: 1, edited: 1 });
    expect(diff.byIntent).toEqual({ greet: { added: 1, removed: 0 }, leave: { added: 0, removed: 2 } });
    expect(diff.truncated).toBe(false);
    const limited = await project.json('diff', 'HEAD~2', 'HEAD~1', '--limit', '1');
    expect([limited.changes.length, limited.truncated]).toEqual([1, true]);
    expect(limited.summary).toEqual(diff.summary);
  });

  test('streams all changes as JSON Lines, and filters by side and intent', async () => {
    const lines = (await project.do('diff', 'HEAD~2', 'HEAD', '--format', 'jsonl')).stdout.trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(Object.keys(JSON.parse(lines[0] as string) as object)).toEqual(['kind', 'side', 'text', 'before', 'after']);
    const filtered = await project.json('diff', 'HEAD~2', 'HEAD~1', '--intent', 'music');
    expect(filtered.summary).toMatchObject({ edited: 1, removed: 0, relabelled: 0 });
    const train = await project.json('diff', 'HEAD~2', 'HEAD', '--side', 'train');
    expect(Object.keys(train.bySide)).toEqual(['train']);
  });

  test('makes Markdown and HTML in which data is harmless', async () => {
    project.write('nasty.csv', 'text,intent\n<script>alert(1)</script> | **bold**,greet\n');
    await project.do('add', 'support', 'nasty.csv');
    await project.do('commit', '-m', 'nasty');
    expect(await project.show('diff', '--format', 'md')).toMatchInlineSnapshot(`
      "### support: 1 added

      \`<id>\` → \`<id>\`

      | intent | added | removed |
      |---|---:|---:|
      | greet | 1 | 0 |

      | | text | label | side |
      |---|---|---|---|
      | added | \\<script\\>alert(1)\\</script\\> \\| \\*\\*bold\\*\\* | greet | train |
      "
    `);
    const html = (await project.do('diff', '--format', 'html')).stdout;
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toContain('<script>');
  });

  test('--staged shows what the next commit changes', async () => {
    expect((await project.json('diff', '--staged')).changes).toEqual([]);
    project.write('b.csv', 'text,intent\nsomething new,greet\ngood bye,greet\n');
    await project.do('add', 'support', 'b.csv', '--on-conflict', 'relabel');
    await project.do('remove', '--text', 'hi you');
    expect(await project.show('diff', '--staged')).toMatchInlineSnapshot(`
      "support <id> → staged: 1 added, 1 relabelled, 1 removed
        train: 1 relabelled
        test: 1 removed
        no side yet: 1 added
        greet: +2 −1
        leave: −1

      ~ good bye  [leave → greet] (train)
      - hi you  [greet] (test)
      + something new  [greet] (no side yet)
      "
    `);
    const staged = await project.json('diff', 'support', '--staged');
    expect(staged).toMatchObject({ to: 'staged', from: (await project.json('show')).version });
    await project.do('commit', '-m', 'x');
    expect((await project.json('diff')).summary).toEqual(staged.summary);
  });
});

describe('blame', () => {
  test('names the version, author and batch of an utterance and of each of its labels', async () => {
    expect(await project.show('blame', 'support', 'So  long')).toMatchInlineSnapshot(`
      ""so long" [greet]
        <id>  <time>  Grace Hopper <grace@example.org>  relabelled  greet  second.csv
        <id>  <time>  Ada Lovelace <ada@example.org>    added       leave  first.csv
      "
    `);
    const { utterances } = await project.json('blame', 'support', 'so long');
    expect(utterances[0].history.map(({ kind, intent }: { kind: string; intent: string }) => [kind, intent])).toEqual([
      ['relabelled', 'greet'],
      ['added', 'leave'],
    ]);
  });

  test('of an utterance that is not there says how to search', async () => {
    expect(await project.show('blame', 'support', 'farewell')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[unknown-utterance]: support has no utterance "farewell"
      hint: search for it: uttr grep "farewell" support
      "
    `);
    expect((await project.json('blame', 'support@HEAD~2', 'farewell')).utterances).toHaveLength(1);
  });
});

describe('cat, grep, sample, stats', () => {
  test('cat prints canonical records, the training side first', async () => {
    const all = (await project.do('cat')).stdout;
    expect(all).toBe(
      (await project.do('cat', '--side', 'train')).stdout + (await project.do('cat', '--side', 'test')).stdout,
    );
    expect((await project.do('cat', '--intent', 'music')).stdout).toMatchInlineSnapshot(`
      "{"features":{"role":"user"},"intent":"music","text":"stop the sound now"}
      "
    `);
    expect((await project.do('cat', '--limit', '2')).stdout.trim().split('\n')).toHaveLength(2);
    expect(await project.show('cat', '--side', 'dev')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: support has no side "dev"
      hint: its sides: train, test, unlabelled
      "
    `);
    const { records, dataset } = await project.json('cat', 'support@HEAD~2', '--intent', 'leave');
    expect([dataset, records.length]).toEqual(['support', 4]);
  });

  test('grep compares as records do, and answers with 1 where nothing is found', async () => {
    expect((await project.do('grep', 'GOOD  M')).stdout).toMatchInlineSnapshot(`
      "{"features":{"role":"user"},"intent":"greet","text":"good morning"}
      "
    `);
    expect((await project.do('grep', '--regex', '^good')).stdout.trim().split('\n')).toHaveLength(2);
    expect(await project.run('grep', 'no such words')).toEqual({ code: 1, stdout: '', stderr: '' });
    expect((await project.json('grep', '--regex', '(')).error.code).toBe('bad-option');
  });

  test('sample gives the same records for the same seed', async () => {
    const once = (await project.do('sample', '-n', '3', '--seed', 'a')).stdout;
    expect((await project.do('sample', '-n', '3', '--seed', 'a')).stdout).toBe(once);
    expect(once.trim().split('\n')).toHaveLength(3);
    expect((await project.json('sample', '-n', '100')).records).toHaveLength(9);
  });

  test('stats counts rows, and how far the groups are from their shares', async () => {
    expect(await project.show('stats')).toMatchInlineSnapshot(`
      "support@<id>: 9 rows in 9 groups
      train 7 (77.8 %)  test 2 (22.2 %)  0 crossed

      intent  rows  train  test
      greet      6      5     1
      leave      2      1     1
      music      1      1     0

      stratum  groups  train  test  test off ideal
      greet         6      5     1            -0.5
      leave         2      1     1            +0.5
      music         1      1     0            -0.3
      "
    `);
    const stats = await project.json('stats');
    expect(Object.keys(stats)).toEqual(
      expect.arrayContaining(['dataset', 'version', 'rows', 'groups', 'sides', 'intents', 'strata', 'ideal']),
    );
    expect(Object.keys(stats.sides)).toEqual(['train', 'test']);
    expect(stats.intents.greet).toEqual({ train: expect.any(Number), test: expect.any(Number), rows: 6 });
  });
});

describe('export', () => {
  test('writes both sides; the same version gives the same bytes', async () => {
    expect(await project.show('export', '-o', 'out')).toMatchInlineSnapshot(`
      "support@<id>
        out/train.jsonl: 7 records, 443 B
        out/test.jsonl: 2 records, 132 B
      "
    `);
    const once = [project.read('out/train.jsonl'), project.read('out/test.jsonl')];
    const summary = await project.json('export', '-o', 'again');
    expect([project.read('again/train.jsonl'), project.read('again/test.jsonl')]).toEqual(once);
    expect(once.join('')).toBe((await project.do('cat')).stdout);
    expect(summary.files.map(({ side, records }: { side: string; records: number }) => [side, records])).toEqual([
      ['train', expect.any(Number)],
      ['test', expect.any(Number)],
    ]);
  });

  test('as CSV can be added again and changes nothing', async () => {
    await project.do('export', '-o', 'out', '--format', 'csv', '--side', 'train');
    expect(project.has('out/test.csv')).toBe(false);
    expect((await project.json('add', 'support', 'out/train.csv')).staged).toBe(false);
    expect(await project.show('export', '--format', 'cvs')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: there is no format "cvs"
      hint: did you mean "csv"?
      "
    `);
    expect(await project.show('export', '-o', 'uttr.json')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-option]: <folder>/uttr.json is a file, or lies below one
      hint: name a folder: it is made where it does not exist
      "
    `);
  });
});

describe('tag, fsck, events', () => {
  test('tag names, lists, refuses to move, and removes', async () => {
    expect(await project.show('tag')).toMatchInlineSnapshot(`
      "No tags yet.
      "
    `);
    expect(await project.show('tag', 'v1.0')).toMatchInlineSnapshot(`
      "v1.0 is support@<id>.
      "
    `);
    expect(await project.show('tag', 'v1.0', 'HEAD~1')).toMatchInlineSnapshot(`
      "[exit 4]
      [stderr]
      error[tag-exists]: tag "v1.0" of support names <id> already
      hint: choose another name, or move it with --force
      "
    `);
    expect(await project.show('tag', 'abcdef12')).toMatchInlineSnapshot(`
      "[exit 2]
      [stderr]
      error[bad-tag-name]: "abcdef12" is no name for a tag
      hint: use letters, digits, "-", "_", "." and "/", not a word that could be a hash, such as v1.0
      "
    `);
    await project.do('tag', 'v1.0', 'HEAD~1', '--force');
    const { tags } = await project.json('tag');
    expect(tags).toEqual([{ name: 'v1.0', version: (await project.json('show', 'HEAD~1')).version }]);
    expect(await project.json('tag', 'v1.0', '--delete')).toEqual({ dataset: 'support', deleted: 'v1.0' });
    expect((await project.json('tag', 'v1.0', '--delete')).error.code).toBe('unknown-version');
  });

  test('fsck answers that all is well, or with 5', async () => {
    expect((await project.show('fsck')).replaceAll(/\d+/gu, 'N')).toMatchInlineSnapshot(`
      "N chunks in N packs, N versions: everything is what its hash says.
      "
    `);
    const report = await project.json('fsck');
    expect(report).toMatchObject({
      ok: true,
      blocks: expect.any(Number),
      packs: expect.any(Number),
      versions: 3,
      problems: [],
    });
    const pack = Object.keys(project.files()).find((name) => name.includes('packs/d/')) as string;
    const bytes = Buffer.from(project.files()[pack] as string, 'base64');
    bytes[20] = (bytes[20] as number) ^ 1;
    project.write(pack, bytes);
    const damaged = await project.run('fsck', '--json');
    expect(damaged.code).toBe(5);
    expect(JSON.parse(damaged.stdout)).toMatchObject({ ok: false });
    expect((await project.run('cat')).code).toBe(5);
  });

  test('events list what happened', async () => {
    const { events } = await project.json('events', 'list');
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({ dataset: 'support', version: (await project.json('show')).version });
    expect(shown(await project.run('events', 'deliver'))).toMatchInlineSnapshot(`
      "No sinks are configured in uttr.json.
      "
    `);
    expect((await project.json('events', 'retry', 'zzz')).error.code).toBe('bad-option');
  });
});
