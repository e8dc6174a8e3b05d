/**
 * The only place that writes: results to stdout, everything else to stderr.
 *
 * With `--json` stdout carries exactly one JSON document (or JSON Lines where a command streams). Progress is
 * drawn only on a terminal; elsewhere long work says one line every ten seconds. Texts from data are made
 * harmless before they reach a terminal: control characters and bidirectional overrides are shown as escapes.
 */
import { styleText } from 'node:util';
import { UttrError } from '../base/errors.ts';
import type { Progress } from '../base/ports.ts';

type Style = Parameters<typeof styleText>[0];

const REDRAW_MS = 100;
const SPEAK_MS = 10_000;
/** Characters of an error's message or hint; what quotes data is short already. */
const MESSAGE_LIMIT = 4000;

// Everything below U+0020 but LF and TAB, DEL, C1, and the bidirectional controls.
// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Shows control characters of data as escapes, so that a text cannot move the cursor or turn a line round. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A text of the data for one line of output: line breaks and tabs shown, length bounded. */
export function oneLine(text: string, limit = 160): string {
  const flat = harmless(text.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
  if (flat.length <= limit) return flat;
  // Half a surrogate pair at the cut would show as a replacement character.
  return `${flat.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
}

export interface ReporterSettings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined; readonly columns?: number };
  readonly now: () => number;
}

export class Reporter {
  readonly #settings: ReporterSettings;
  #broken: NodeJS.ErrnoException | undefined;
  #drawn = false;
  #lastDraw = 0;
  #began: number | undefined;

  constructor(settings: ReporterSettings) {
    this.#settings = settings;
    settings.stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.#broken = error;
    });
    // Without a reader of messages the work goes on.
    settings.stderr.on('error', () => undefined);
  }

  /** Whether the reader of stdout has gone: there is no use in writing more. */
  get isUnread(): boolean {
    return this.#broken?.code === 'EPIPE';
  }

  get json(): boolean {
    return this.#settings.json;
  }

  /** Progress for the library: drawn on a terminal, a line now and then elsewhere. */
  readonly progress: Progress = {
    update: (phase, done, total, unit) => this.#update(phase, done, total, unit),
    note: (message) => this.note(message),
  };

  /** A word in colour, where there is colour. */
  style(style: Style, text: string): string {
    return this.#settings.color ? styleText(style, text, { validateStream: false }) : text;
  }

  /** The command's answer: one JSON document with `--json`, else what `text` makes of it. */
  result(value: unknown, text: () => string): void {
    this.clear();
    if (this.#settings.json) this.#settings.stdout.write(`${this.#shown(JSON.stringify(value))}\n`);
    else {
      const words = text();
      if (words !== '') this.#settings.stdout.write(words.endsWith('\n') ? words : `${words}\n`);
    }
  }

  /** A piece of a streamed answer, as it is; resolves when the stream takes more. @throws aborted, disk-full, io-failed */
  async write(bytes: string | Uint8Array): Promise<void> {
    this.clear();
    const error = await new Promise<Error | null | undefined>((resolve) => {
      this.#settings.stdout.write(bytes, resolve);
    });
    this.#broken ??= error ?? undefined;
    this.#refuseBroken();
  }

  /** Lines of JSON. Where a terminal shows them, control characters of data stand as the escapes JSON has for them. */
  data(lines: string): Promise<void> {
    return this.write(this.#shown(lines));
  }

  #shown(json: string): string {
    return this.#settings.stdout.isTTY === true ? harmless(json) : json;
  }

  /** Waits until the answer is written. @throws disk-full, io-failed */
  async finish(): Promise<void> {
    // The callback of an empty write comes after those of all writes before it.
    await this.write('');
  }

  #refuseBroken(): void {
    const error = this.#broken;
    if (error === undefined) return;
    if (error.code === 'EPIPE') throw new UttrError('aborted', 'nobody reads the answer any more', { cause: error });
    const code = error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'disk-full' : 'io-failed';
    throw new UttrError(code, `the answer cannot be written: ${error.message}`, { cause: error });
  }

  /** A sentence for the person, beside the answer. */
  note(message: string): void {
    if (this.#settings.quiet) return;
    this.clear();
    this.#settings.stderr.write(`${harmless(message)}\n`);
  }

  warn(message: string): void {
    this.clear();
    this.#settings.stderr.write(`${this.style('yellow', 'warning:')} ${harmless(message)}\n`);
  }

  /** Output of a program we ran, passed on to stderr. */
  pass(bytes: Uint8Array | string): void {
    this.clear();
    this.#settings.stderr.write(bytes);
  }

  /** An error; with `--json` as a document on stdout, so that a program reads one place only. */
  error(error: UttrError): void {
    this.clear();
    if (this.#settings.json) {
      const { code, kind, message, hint, details, exitCode } = error;
      const body = { code, kind, message, ...(hint === undefined ? {} : { hint }), details, exitCode };
      this.#settings.stdout.write(`${this.#shown(JSON.stringify({ error: body }))}\n`);
      return;
    }
    const [headline, ...rest] = errorLines(error);
    const lines = [`${this.style('red', `error[${error.code}]:`)} ${headline ?? ''}`, ...rest];
    for (const line of lines) this.#settings.stderr.write(`${line}\n`);
    if (error.hint !== undefined)
      this.#settings.stderr.write(`${this.style('cyan', 'hint:')} ${oneLine(error.hint, MESSAGE_LIMIT)}\n`);
  }

  #update(phase: string, done: number, total: number | undefined, unit: string): void {
    const { stderr, quiet, now } = this.#settings;
    if (quiet) return;
    const time = now();
    this.#began ??= time;
    const live = stderr.isTTY === true && !this.#settings.json;
    if (time - this.#lastDraw < (live ? REDRAW_MS : SPEAK_MS)) {
      // The first word waits until the work has proved to be long.
      if (this.#lastDraw === 0) this.#lastDraw = live ? time - REDRAW_MS / 2 : time;
      return;
    }
    if (this.#lastDraw === 0) {
      this.#lastDraw = time;
      return;
    }
    this.#lastDraw = time;
    const line = progressLine(phase, done, total, unit, time - this.#began);
    if (live) {
      stderr.write(`\r\u001B[2K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
      this.#drawn = true;
    } else {
      stderr.write(`${line}\n`);
    }
  }

  /** Wipes a drawn progress line. */
  clear(): void {
    if (this.#drawn) this.#settings.stderr.write('\r\u001B[2K');
    this.#drawn = false;
  }
}

/** An error for a person: one line, or a headline and a line for each of several problems. */
function errorLines({ message, details }: UttrError): string[] {
  const { problems, file } = details;
  if (!Array.isArray(problems) || problems.length < 2 || typeof file !== 'string')
    return [oneLine(message, MESSAGE_LIMIT)];
  return [
    `${oneLine(file)}: ${plural(problems.length, 'problem')}`,
    ...problems.map((problem) => `  ${oneLine(String(problem), MESSAGE_LIMIT)}`),
  ];
}

function progressLine(phase: string, done: number, total: number | undefined, unit: string, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const amount = (count: number): string =>
    unit === 'bytes' ? bytes(Math.round(count)) : thousands(Math.round(count));
  const of = total === undefined ? '' : ` of ${amount(total)} (${Math.floor((done / Math.max(total, 1)) * 100)} %)`;
  const left = total === undefined || rate === 0 ? '' : `, ${Math.ceil((total - done) / rate)} s left`;
  return `${phase}: ${amount(done)}${of}${unit === 'bytes' ? '' : ` ${unit}`}, ${amount(rate)}/s${left}`;
}

/** 17775 as "17 775", with narrow no-break blanks avoided: plain blanks survive copying. */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/gu, ' ');
}

/** Bytes for people: 1536 as "1.5 KiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** "1 row", "2 rows". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${thousands(count)} ${count === 1 ? noun : nouns}`;
}

/** Columns aligned by width; the last one is left as it is. Numbers (by the header's flag) lean right. */
export function table(rows: readonly (readonly string[])[], right: readonly boolean[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => {
          const blanks = ' '.repeat((widths[index] ?? 0) - width(cell));
          if (right[index] === true) return blanks + cell;
          return index === row.length - 1 ? cell : cell + blanks;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Made when it is needed: for the first one ICU reads its data, which takes 6 ms. */
let segments: Intl.Segmenter | undefined;

/** Columns a text takes on a terminal: East Asian wide characters and emoji take two, marks none. */
function width(text: string): number {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\u001B\[[0-9;]*m/gu, '');
  // eslint-disable-next-line no-control-regex
  if (/^[\u0020-\u007E]*$/u.test(plain)) return plain.length;
  let columns = 0;
  segments ??= new Intl.Segmenter();
  for (const { segment } of segments.segment(plain)) columns += columnsOf(segment);
  return columns;
}

function columnsOf(segment: string): number {
  // Marks and joiners that stand alone: nothing is drawn.
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(segment)) return 0;
  return isWide(segment) ? 2 : 1;
}

/** East Asian wide and fullwidth blocks: first and last code point of each. */
const WIDE_RANGES: readonly (readonly [number, number])[] = [
  [0x11_00, 0x11_5f],
  [0x2e_80, 0xa4_cf],
  [0xac_00, 0xd7_a3],
  [0xf9_00, 0xfa_ff],
  [0xfe_30, 0xfe_6f],
  [0xff_00, 0xff_60],
  [0x2_00_00, 0x3_ff_fd],
];

function isWide(segment: string): boolean {
  if (/\p{Emoji_Presentation}|\p{Emoji}\uFE0F/u.test(segment)) return true;
  const code = segment.codePointAt(0) ?? 0;
  return WIDE_RANGES.some(([first, last]) => code >= first && code <= last);
}
