import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';

/** Appends a line to a text file unless it is there. @returns whether it was written */
export async function ensureLine(path: string, line: string): Promise<boolean> {
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  if (text.split(/\r?\n/u).includes(line)) return false;
  await appendFile(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
  return true;
}
