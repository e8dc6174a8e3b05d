import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatTable,
  measure,
  median,
  parsePeakRss,
  parseTimes,
} from '../../../scripts/bench/measure.ts';

const MEBIBYTE = 1 << 20;
/** A script that holds on to so many bytes for a moment, long enough to be seen. */
const holding = (bytes: number): string =>
  `const held = Buffer.alloc(${bytes}, 1); setTimeout(() => process.stdout.write(String(held.length)), 100)`;

describe('measure', () => {
  test('sees the memory that a process holds, and what it prints', async () => {
    const run = await measure([process.execPath, '-e', holding(200 * MEBIBYTE)]);
    expect(run.stdout.toString()).toBe(String(200 * MEBIBYTE));
    expect(run.peakRssBytes).toBeGreaterThan(200 * MEBIBYTE);
    expect(run.peakRssBytes).toBeLessThan(600 * MEBIBYTE);
  });

  test('sees the memory and CPU time of children of the command', async () => {
    const inner = `for (const end = performance.now() + 200; performance.now() < end; ); ${holding(200 * MEBIBYTE)}`;
    const outer = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(inner)}])`;
    const run = await measure([process.execPath, '-e', outer]);
    expect(run.peakRssBytes).toBeGreaterThan(200 * MEBIBYTE);
    expect(run.userMs + run.systemMs).toBeGreaterThan(0);
    expect(run.wallMs).toBeGreaterThan(0);
  });

  test('passes arguments, directory and environment on unchanged', async () => {
    const script = 'console.log(JSON.stringify([process.argv[1], process.cwd(), process.env.GREETING]))';
    const run = await measure([process.execPath, '-e', script, 'it\'s $HOME; "quoted"'], {
      cwd: '/',
      env: { ...process.env, GREETING: 'grüß dich' },
    });
    expect(JSON.parse(run.stdout.toString())).toStrictEqual(['it\'s $HOME; "quoted"', '/', 'grüß dich']);
  });

  test('fails with what the command said, unless its exit code is expected', async () => {
    const command = [process.execPath, '-e', 'console.error("the disk is full"); process.exit(3)'];
    await expect(measure(command)).rejects.toThrow(/ended with 3: the disk is full/u);
    await expect(measure(command, { expected: [0, 3] })).resolves.toMatchObject({ exitCode: 3 });
  });
});

describe('the numbers', () => {
  test('median is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 10])).toBe(9);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  test('CPU time is that of the children, as dash and bash print it', () => {
    expect(parseTimes('0m0.00s 0m0.00s\n0m1.23s 0m0.45s\n')).toStrictEqual({ userMs: 1230, systemMs: 450 });
    expect(parseTimes('0m0,001s 0m0,000s\n2m3,004s 1m0,500s\n')).toStrictEqual({ userMs: 123_004, systemMs: 60_500 });
    expect(() => parseTimes('')).toThrow('not what times prints');
  });

  test('peak memory is the high-water mark, and 0 for a process that is ending', () => {
    expect(parsePeakRss('Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n')).toBe(2 * MEBIBYTE);
    expect(parsePeakRss('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0);
  });
});

describe('the report', () => {
  test.each([
    [0.04, '0.0 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [12_340, '12.3 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms read as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [18_432, '18.4 kB'],
    [999_700, '1 MB'],
    [1_430_000_000, '1.43 GB'],
  ])('%d bytes read as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('tables are Markdown with numbers on the right', () => {
    expect(
      formatTable(
        ['step', 'time'],
        [
          ['commit', '2.1 s'],
          ['log', '90 ms'],
        ],
      ),
    ).toBe(['| step   |  time |', '| ------ | ----: |', '| commit | 2.1 s |', '| log    | 90 ms |', ''].join('\n'));
  });
});
