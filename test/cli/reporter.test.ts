import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bytes, harmless, oneLine, plural, Reporter, table, thousands } from '../../src/cli/reporter.ts';

class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 40;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

function reporter(settings: { json?: boolean; quiet?: boolean; terminal?: boolean } = {}): {
  readonly reporter: Reporter;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly advance: (ms: number) => void;
} {
  const stdout = new Sink(settings.terminal);
  const stderr = new Sink(settings.terminal);
  let time = 0;
  const made = new Reporter({
    json: settings.json === true,
    quiet: settings.quiet === true,
    color: false,
    stdout,
    stderr,
    now: () => time,
  });
  return {
    reporter: made,
    stdout,
    stderr,
    advance: (ms) => {
      time += ms;
    },
  };
}

describe('progress', () => {
  test('is drawn on a terminal, cut to its width, and wiped before a result', () => {
    const { reporter: it, stdout, stderr, advance } = reporter({ terminal: true });
    it.progress.update('reading', 1, 1000, 'rows');
    expect(stderr.text).toBe('');
    advance(1000);
    it.progress.update('reading', 250, 1000, 'rows');
    expect(stderr.text).toBe('\r\u001B[2Kreading: 250 of 1 000 (25 %) rows, 250/');
    it.result({}, () => 'done');
    expect(stderr.text.endsWith('\r\u001B[2K')).toBe(true);
    expect(stdout.text).toBe('done\n');
  });

  test('elsewhere is a line now and then, and short work says nothing', () => {
    const { reporter: it, stderr, advance } = reporter();
    for (let done = 0; done < 9; done++) {
      it.progress.update('reading', done, undefined, 'rows');
      advance(1000);
    }
    expect(stderr.text).toBe('');
    advance(5000);
    it.progress.update('reading', 20, 100, 'bytes');
    expect(stderr.text).toBe('reading: 20 B of 100 B (20 %), 1 B/s, 56 s left\n');
  });

  test('is silent with --quiet, and with --json draws nothing', () => {
    for (const settings of [
      { quiet: true, terminal: true },
      { json: true, terminal: true },
    ]) {
      const { reporter: it, stderr, advance } = reporter(settings);
      it.progress.update('reading', 1, 10, 'rows');
      advance(500);
      it.progress.update('reading', 2, 10, 'rows');
      expect(stderr.text).toBe('');
    }
  });
});

describe('harmless and oneLine', () => {
  test('show control characters and bidirectional controls as escapes', () => {
    expect(harmless('a\u001B[2Jb\u202Ec\u009B')).toBe('a\\u001b[2Jb\\u202ec\\u009b');
    expect(harmless('tab\tand\nline')).toBe('tab\tand\nline');
    expect(oneLine('tab\tand\r\nline')).toBe('tab\\tand\\r\\nline');
  });

  test('cut between characters', () => {
    expect(oneLine('abcdef', 4)).toBe('abc…');
    expect(oneLine('ab\u{1F600}cd', 4)).toBe('ab…');
    expect(oneLine('ab\u{1F600}cd', 4).isWellFormed()).toBe(true);
  });
});

describe('table', () => {
  test('aligns wide characters, emoji, marks and right-to-left words by what they take on a terminal', () => {
    const rows = [
      ['intent', 'rows'],
      ['挨拶', '12'],
      ['\u{1F44B}\u{1F3FD} wave', '3'],
      ['cafe\u0301', '4'],
      ['\u26A0\uFE0F warn', '5'],
      ['שלום', '6'],
      ['\u{1F468}\u200D\u{1F469}\u200D\u{1F467}', '7'],
      ['a\u200Bb', '8'],
      ['한국어', '90'],
    ];
    const columns = [6, 4, 7, 4, 7, 4, 2, 2, 6];
    for (const [index, line] of table(rows, [false, true]).split('\n').entries()) {
      const [name = '', count = ''] = rows[index] ?? [];
      expect(line).toBe(`${name}${' '.repeat(7 - (columns[index] ?? 0))}  ${count.padStart(4)}`);
    }
  });

  test('leaves the last column and takes no width for colours', () => {
    expect(
      table([
        ['\u001B[31mred\u001B[39m', 'x'],
        ['long word', 'y'],
      ]),
    ).toBe('\u001B[31mred\u001B[39m        x\nlong word  y');
  });
});

describe('numbers', () => {
  test('read like numbers', () => {
    expect([thousands(0), thousands(999), thousands(1000), thousands(1_234_567)]).toEqual([
      '0',
      '999',
      '1 000',
      '1 234 567',
    ]);
    expect([bytes(0), bytes(1023), bytes(1536), bytes(5 * 2 ** 30)]).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
    expect([plural(1, 'row'), plural(2000, 'row'), plural(2, 'delivery', 'deliveries')]).toEqual([
      '1 row',
      '2 000 rows',
      '2 deliveries',
    ]);
  });
});

describe('a stream that takes nothing', () => {
  class BrokenSink extends Writable {
    readonly #code: string;

    constructor(code: string) {
      super();
      this.#code = code;
    }

    override _write(_chunk: Buffer, _encoding: BufferEncoding, done: (error: Error) => void): void {
      done(Object.assign(new Error(this.#code), { code: this.#code }));
    }
  }

  test.each([
    ['EPIPE', 'aborted', true],
    ['ENOSPC', 'disk-full', false],
    ['EIO', 'io-failed', false],
  ] as const)('%s ends a streamed answer as %s', async (errno, code, isUnread) => {
    const it = new Reporter({
      json: false,
      quiet: false,
      color: false,
      stdout: new BrokenSink(errno),
      stderr: new Sink(),
      now: () => 0,
    });
    await expect(it.write('x')).rejects.toMatchObject({ code });
    expect(it.isUnread).toBe(isUnread);
  });
});
