/** The commands that are interrupted, each with the state it starts from. */
import { cpSync, mkdirSync, rmdirSync } from 'node:fs';
import { DATASET, Sandbox } from './sandbox.ts';

export interface Workload {
  readonly name: string;
  /** Builds the state that the command starts from. */
  readonly prepare: (sandbox: Sandbox) => Promise<void>;
  readonly project: string;
  readonly args: readonly string[];
  /** Exit code of the same command where the interrupted one had done its work after all. */
  readonly again: number;
  /** Versions that events must tell of, once the command is through. */
  readonly announces: 'history' | 'remote' | 'known' | 'nothing';
  /** Puts back the files that the caller hands to every run anew. */
  readonly beforeAgain?: (sandbox: Sandbox) => void;
}

const alone = async (sandbox: Sandbox): Promise<void> => sandbox.init('alice', { remote: false });

async function committed(sandbox: Sandbox, project: string, from: number, count = 20, intents = 3): Promise<void> {
  await sandbox.must(project, 'add', DATASET, sandbox.batch(`${project}-${from}.jsonl`, from, count, intents));
  await sandbox.must(project, 'commit', DATASET, '-m', `from ${from}`);
}

async function first(sandbox: Sandbox): Promise<void> {
  await alone(sandbox);
  await committed(sandbox, 'alice', 0, 60);
}

async function shared(sandbox: Sandbox): Promise<void> {
  await sandbox.init('alice', { remote: true });
  await committed(sandbox, 'alice', 0, 60);
}

/** Bob has what git would give him: the pointer, not the data. */
async function cloned(sandbox: Sandbox): Promise<void> {
  await shared(sandbox);
  await sandbox.must('alice', 'push');
  cpSync(sandbox.path('alice'), sandbox.path('bob'), {
    recursive: true,
    filter: (path) => !path.includes('.uttr') && !path.endsWith('events.jsonl'),
  });
}

/** Alice and Bob have gone on from one version, Alice has pushed. */
async function diverged(sandbox: Sandbox): Promise<void> {
  await shared(sandbox);
  await sandbox.must('alice', 'push');
  cpSync(sandbox.path('alice'), sandbox.path('bob'), { recursive: true });
  await sandbox.must('bob', 'status');
  await committed(sandbox, 'alice', 100);
  await sandbox.must('alice', 'push');
  await committed(sandbox, 'bob', 200);
}

/** Two versions that label the same utterances differently, in one project; HEAD is at the second one. */
async function conflicting(sandbox: Sandbox): Promise<void> {
  await first(sandbox);
  cpSync(sandbox.path('alice', 'manifests', `${DATASET}.json`), sandbox.path('base.json'));
  await relabelled(sandbox, 'red');
  cpSync(sandbox.path('alice', 'manifests', `${DATASET}.json`), sandbox.path('theirs.json'));
  await sandbox.must('alice', 'tag', 'theirs', DATASET);
  cpSync(sandbox.path('base.json'), sandbox.path('alice', 'manifests', `${DATASET}.json`));
}

async function relabelled(sandbox: Sandbox, intent: string, number = 1): Promise<void> {
  const row = { text: `please handle request number ${number}`, intent };
  sandbox.write(`${intent}.jsonl`, `${JSON.stringify(row)}\n`);
  await sandbox.must('alice', 'add', DATASET, `../${intent}.jsonl`, '--on-conflict', 'relabel');
  await sandbox.must('alice', 'commit', DATASET, '-m', intent);
}

const freshOurs = (sandbox: Sandbox): void => cpSync(sandbox.path('ours-before.json'), sandbox.path('ours.json'));

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'add a first batch',
    prepare: async (sandbox) => {
      await alone(sandbox);
      sandbox.batch('first.jsonl', 0, 30);
    },
    project: 'alice',
    args: ['add', DATASET, '../first.jsonl'],
    again: 0,
    announces: 'history',
  },
  {
    name: 'add to what is staged',
    prepare: async (sandbox) => {
      await first(sandbox);
      await sandbox.must('alice', 'add', DATASET, sandbox.batch('second.jsonl', 50, 30));
      sandbox.batch('third.jsonl', 90, 30);
    },
    project: 'alice',
    args: ['add', DATASET, '../third.jsonl'],
    again: 0,
    announces: 'history',
  },
  {
    name: 'commit the first version',
    prepare: async (sandbox) => {
      await alone(sandbox);
      await sandbox.must('alice', 'add', DATASET, sandbox.batch('first.jsonl', 0, 60));
    },
    project: 'alice',
    args: ['commit', DATASET, '-m', 'first'],
    again: 2,
    announces: 'history',
  },
  {
    name: 'commit a second version',
    prepare: async (sandbox) => {
      await first(sandbox);
      await sandbox.must('alice', 'add', DATASET, sandbox.batch('second.jsonl', 40, 40, 4), '--on-conflict', 'relabel');
    },
    project: 'alice',
    args: ['commit', DATASET, '-m', 'second'],
    again: 2,
    announces: 'history',
  },
  {
    name: 'push to an empty remote',
    prepare: shared,
    project: 'alice',
    args: ['push'],
    again: 0,
    announces: 'remote',
  },
  {
    name: 'push a second version',
    prepare: async (sandbox) => {
      await shared(sandbox);
      await sandbox.must('alice', 'push');
      await committed(sandbox, 'alice', 100);
    },
    project: 'alice',
    args: ['push'],
    again: 0,
    announces: 'remote',
  },
  {
    name: 'pull the data of a fresh clone',
    prepare: cloned,
    project: 'bob',
    args: ['pull'],
    again: 0,
    announces: 'nothing',
  },
  {
    name: 'pull a newer version',
    prepare: async (sandbox) => {
      await cloned(sandbox);
      await sandbox.must('bob', 'pull');
      await committed(sandbox, 'alice', 100);
      await sandbox.must('alice', 'push');
    },
    project: 'bob',
    args: ['pull', '--latest'],
    again: 0,
    announces: 'nothing',
  },
  {
    name: 'read from a remote',
    prepare: cloned,
    project: 'bob',
    args: ['cat', DATASET],
    again: 0,
    announces: 'nothing',
  },
  {
    name: 'pull what is merged with ours',
    prepare: diverged,
    project: 'bob',
    args: ['pull'],
    again: 0,
    announces: 'nothing',
  },
  {
    name: 'merge a version',
    prepare: async (sandbox) => {
      await conflicting(sandbox);
      await relabelled(sandbox, 'blue', 2);
    },
    project: 'alice',
    args: ['merge', `${DATASET}@theirs`],
    again: 0,
    announces: 'known',
  },
  {
    name: 'settle a merge',
    prepare: async (sandbox) => {
      await conflicting(sandbox);
      await relabelled(sandbox, 'blue');
      const { code } = await sandbox.run('alice', 'merge', `${DATASET}@theirs`);
      if (code !== 4) throw new Error(`the merge ended with ${code}`);
    },
    project: 'alice',
    args: ['merge', DATASET, '--ours'],
    again: 2,
    announces: 'known',
  },
  {
    name: 'merge as the driver of git',
    prepare: async (sandbox) => {
      await conflicting(sandbox);
      await relabelled(sandbox, 'blue', 2);
      cpSync(sandbox.path('alice', 'manifests', `${DATASET}.json`), sandbox.path('ours-before.json'));
      freshOurs(sandbox);
    },
    project: 'alice',
    args: ['git', 'merge-driver', '../base.json', '../ours.json', '../theirs.json', `manifests/${DATASET}.json`],
    again: 0,
    announces: 'known',
    beforeAgain: freshOurs,
  },
  {
    name: 'deliver events',
    prepare: async (sandbox) => {
      await alone(sandbox);
      // The sink cannot be written yet, so that the events wait.
      mkdirSync(sandbox.path('alice', 'events.jsonl'));
      for (const from of [0, 100, 200]) await committed(sandbox, 'alice', from);
      rmdirSync(sandbox.path('alice', 'events.jsonl'));
      await sandbox.withRepository('alice', ({ outbox }) => void outbox.retry('all', Date.now()));
    },
    project: 'alice',
    args: ['events', 'deliver'],
    again: 0,
    announces: 'history',
  },
];

/** A sandbox in the state that a workload starts from. */
export async function prepared(workload: Workload): Promise<Sandbox> {
  const sandbox = Sandbox.make();
  await workload.prepare(sandbox);
  return sandbox;
}
