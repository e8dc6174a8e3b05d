/**
 * Reads a file as `uttr add` does up to its records, and prints how many there are and the milliseconds it took:
 * `node scripts/bench/read-file.ts <format> <path>`.
 */
import { createReadStream } from 'node:fs';
import { formatByName } from '../../src/formats/registry.ts';

const [name, path] = process.argv.slice(2) as [string, string];
const input = { name: path, chunks: () => createReadStream(path, { highWaterMark: 1024 * 1024 }) };
const startMs = performance.now();
let records = 0;
for await (const batch of formatByName(name).read(input)) records += batch.records.length;
process.stdout.write(JSON.stringify({ records, ms: performance.now() - startMs }));
