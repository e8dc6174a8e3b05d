/**
 * A process that adds lines to one head: `head-appender.ts FOLDER WRITER COUNT [CRASH-POINT]`.
 * With a crash point it kills itself there, the first time.
 */
import { argv, kill, pid } from 'node:process';
import { setCrashHook } from '../../src/base/crash-points.ts';
import { isUttrError } from '../../src/base/errors.ts';
import { FileBlobStore } from '../../src/store/file-blob-store.ts';

const [, , folder = '', writer = '', count = '', crashAt] = argv;
setCrashHook((point) => {
  if (point === crashAt) kill(pid, 'SIGKILL');
});
const store = await FileBlobStore.open(folder);
for (let line = 0; line < Number(count);) {
  const head = await store.read('heads/shared');
  const next = `${head?.bytes.toString() ?? ''}writer ${writer} line ${line}\n`;
  try {
    await store.replace('heads/shared', head?.tag, Buffer.from(next));
    line += 1;
  } catch (error) {
    if (!isUttrError(error, 'head-moved')) throw error;
  }
}
