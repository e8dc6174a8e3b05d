/**
 * A store made by the command itself, as people make them: a first import, small changes, removals, two branches and
 * their merge, and a batch that is staged and not committed. Its one unlabelled record makes a leaf that begins like a
 * node.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './forms.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/** Intents of 1, 2, 3, … groups, so that strata of every small size occur. */
const INTENTS = 60;

const POLICY = { method: 'sticky', sides: { train: 0.7, test: 0.2, dev: 0.1 }, salt: 'page', stratify: ['intent'] };

const CONFIG = {
  uttr: 1,
  remotes: {},
  datasets: { support: { split: POLICY } },
  events: { sinks: [{ name: 'log', type: 'file', path: 'events.jsonl' }] },
};

/** Enough for a tree of three levels; most rows repeat the words of others, as utterances do. */
const ROWS = 4400;

function rowOf(number: number): string {
  const small = (INTENTS * (INTENTS + 1)) / 2;
  // Numbers below 1 + 2 + … + 60 fill the small intents, the k-th with k rows.
  const intent = number < small ? Math.ceil((Math.sqrt(8 * (number + 1) + 1) - 1) / 2) : number % 7;
  const text = `${number % 3 === 0 ? 'Please, ' : ''}set number ${(number * 7919) % 100_003} to ${number % 13}%!`;
  const features = { channel: `channel ${number % 5}`, note: 'x'.repeat(60 + (number % 90)) };
  return `${JSON.stringify({ text, intent: `intent_${intent}`, features })}\n`;
}

/** A working copy in a folder of its own. */
export class MadeStore {
  readonly root = mkdtempSync(join(tmpdir(), 'uttr-page-'));
  readonly versions: string[] = [];
  /** The packs that a first commit wrote, by name: their SHA-256 then. */
  firstPacks: ReadonlyMap<string, string> = new Map();
  /** Name of a batch to the text of its file. */
  readonly batches = new Map<string, string>();

  constructor() {
    this.run('init');
    writeFileSync(join(this.root, 'uttr.json'), JSON.stringify(CONFIG));
    this.run('events', 'trust');
  }

  get folder(): string {
    return join(this.root, '.uttr');
  }

  run(...words: string[]): string {
    return execFileSync(process.execPath, [MAIN, ...words], {
      cwd: this.root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    });
  }

  read(name: string): string {
    return readFileSync(join(this.root, name), 'utf8');
  }

  add(name: string, text: string): void {
    writeFileSync(join(this.root, name), text);
    this.run('add', 'support', name, '--on-conflict', 'relabel');
    this.batches.set(name, text);
  }

  /** Commits, and notes the version the pointer names then. */
  commit(): string {
    this.run('commit', 'support', '-m', 'a commit');
    return this.note();
  }

  note(): string {
    const { version } = JSON.parse(this.read('manifests/support.json')) as { version: string };
    this.versions.push(version);
    return version;
  }
}

/** The packs of a folder store: name to SHA-256. */
export function packDigests(folder: string): Map<string, string> {
  const names = ['d', 'm'].flatMap((kind) => readdirSync(join(folder, 'packs', kind)).map((name) => `${kind}/${name}`));
  return new Map(names.map((name) => [name, sha256(readFileSync(join(folder, 'packs', name)))]));
}

export function makeStore(): MadeStore {
  const made = new MadeStore();
  const rows = Array.from({ length: ROWS }, (_, number) => rowOf(number));
  made.add('first.jsonl', rows.join(''));
  made.commit();
  made.firstPacks = packDigests(made.folder);
  for (let commit = 0; commit < 3; commit++) {
    const more = Array.from({ length: 12 }, (_, number) => rowOf(ROWS + commit * 1000 + number * 17));
    made.add(`more-${commit}.jsonl`, more.join(''));
    made.commit();
  }
  const texts = rows.slice(0, 40).map((row) => (JSON.parse(row) as { text: string }).text);
  made.run('relabel', 'support', '--to', 'renamed', '--text', texts[20] as string, '--text', texts[30] as string);
  made.run('remove', 'support', '--text', texts[3] as string, '--text', texts[39] as string);
  made.commit();

  const fork = made.read('manifests/support.json');
  made.add('theirs.jsonl', `${rowOf(90_001)}{"text":"only theirs","intent":"theirs"}\n{"text":"node 1"}\n`);
  const theirs = made.commit();
  writeFileSync(join(made.root, 'manifests/support.json'), fork);
  made.add('ours.jsonl', `${rowOf(90_050)}{"text":"only ours","intent":"ours"}\n`);
  made.commit();
  made.run('merge', `support@${theirs}`, '-m', 'a merge');
  made.note();
  made.add('staged.jsonl', `${rowOf(95_000)}{"text":"only ours!","intent":"ours"}\n`);
  return made;
}
