/**
 * A process that writes one durable file in pieces and prints how it went: `durable-writer.ts PATH MIB`.
 * Its parent limits the disk or the size of files, or kills it.
 */
import { argv, stdout } from 'node:process';
import { isUttrError } from '../../src/base/errors.ts';
import { DurableFile } from '../../src/store/durable-file.ts';

const [, , path = '', mebibytes = ''] = argv;
try {
  const file = await DurableFile.open(path);
  for (let piece = 0; piece < Number(mebibytes); piece += 1) await file.append(Buffer.alloc(1024 * 1024, piece));
  stdout.write(String(await file.publish()));
} catch (error) {
  stdout.write(isUttrError(error) ? error.code : String(error));
}
