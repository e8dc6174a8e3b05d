#!/usr/bin/env node
/**
 * The `uttr` command: process, environment and streams are touched here and nowhere below.
 */
import * as module from 'node:module';

// By name it could not even be asked for on a Node that is too old, whose users are to be told so below.
(module as Partial<typeof module>).enableCompileCache?.();

/** better-sqlite3 ends the process without a word on a Node without N-API 10. */
const NAPI_NEEDED = 10;

async function main(): Promise<void> {
  if (Number(process.versions['napi'] ?? 0) < NAPI_NEEDED || typeof process.getBuiltinModule !== 'function') {
    process.stderr.write(
      `error[old-node]: uttr needs Node.js 24.6 or newer; this is ${process.version}\n` +
        'hint: install Node.js 24 from nodejs.org or with your version manager\n',
    );
    process.exitCode = 2;
    return;
  }
  const { runProcess } = await import('./process.ts');
  await runProcess();
}

await main();
