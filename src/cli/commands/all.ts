import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerAdd } from './add.ts';
import { registerBlame } from './blame.ts';
import { registerCat } from './cat.ts';
import { registerCheck } from './check.ts';
import { registerCommit } from './commit.ts';
import { registerDiff } from './diff.ts';
import { registerEval } from './eval.ts';
import { registerEvents } from './events.ts';
import { registerExport } from './export.ts';
import { registerFsck } from './fsck.ts';
import { registerGate } from './gate.ts';
import { registerGit } from './git.ts';
import { registerGrep } from './grep.ts';
import { registerInit } from './init.ts';
import { registerLog } from './log.ts';
import { registerMerge } from './merge.ts';
import { registerPull } from './pull.ts';
import { registerPush } from './push.ts';
import { registerRelabel } from './relabel.ts';
import { registerRemote } from './remote.ts';
import { registerRemove } from './remove.ts';
import { registerReset } from './reset.ts';
import { registerSample } from './sample.ts';
import { registerShow } from './show.ts';
import { registerStats } from './stats.ts';
import { registerStatus } from './status.ts';
import { registerTag } from './tag.ts';

type Register = (program: Command, context: CliContext) => void;

/** Every command, in the order of the help text: the way data goes. */
export const COMMAND_GROUPS: readonly { readonly title: string; readonly register: readonly Register[] }[] = [
  { title: 'Start a project:', register: [registerInit] },
  {
    title: 'Put data in:',
    register: [registerAdd, registerRemove, registerRelabel, registerStatus, registerReset, registerCommit],
  },
  { title: 'Look at versions:', register: [registerLog, registerShow, registerDiff, registerBlame, registerTag] },
  {
    title: 'Get data out:',
    register: [registerCat, registerGrep, registerSample, registerStats, registerExport],
  },
  { title: 'Work with others:', register: [registerPush, registerPull, registerRemote, registerMerge, registerGit] },
  { title: 'Measure models:', register: [registerEval, registerGate] },
  { title: 'Tell others, and keep it sound:', register: [registerCheck, registerEvents, registerFsck] },
];
