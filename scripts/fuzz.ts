/**
 * Reads damaged files: every sample with bytes changed, cut, repeated and poisoned, by a fixed seed. A reader may refuse
 * with an error of ours or report rows; it may not crash, take long, or give records that are none.
 *
 *   node scripts/fuzz.ts [--cases 10000] [--seed 1] [--samples ../shared/data] [--only name]
 */
import { parseArgs } from 'node:util';
import { Fuzzer } from './fuzz/fuzzer.ts';
import { SAMPLES, samplesBelow } from './fuzz/samples.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    samples: { type: 'string', default: SAMPLES },
    only: { type: 'string', default: '' },
  },
});

const samples = (await samplesBelow(values.samples)).filter(({ name }) => name.includes(values.only));
if (samples.length === 0) {
  process.stderr.write(`no samples below ${values.samples}\n`);
  process.exit(2);
}
const fuzzer = new Fuzzer(samples, Number(values.seed));
const { cases, read, refused, failures, slowest } = await fuzzer.run(Number(values.cases));
for (const { sample, number, problem } of failures) process.stdout.write(`case ${number} of ${sample}: ${problem}\n`);
process.stdout.write(
  `${cases} cases of ${samples.length} samples, seed ${values.seed}: ${read} read, ${refused} refused, ` +
    `${failures.length} failed; the slowest took ${Math.round(slowest.ms)} ms (case ${slowest.number} of ${slowest.sample})\n`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
