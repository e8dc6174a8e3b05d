/**
 * Which numbers of a workbook are dates, and what they say.
 *
 * A date is the number of days since the start of 1900 or 1904, and only its number format tells that it is one. In
 * the system of 1900, day 60 is a 29 February that never was; days before it are one off.
 */
import type { ArchiveEntry } from '../archive.ts';
import { parseXml } from './xml-stream.ts';

export type NumberKind = 'number' | 'date' | 'duration';

/** Number formats that every program knows without their code: dates and times, those of East Asia included. */
const BUILT_IN_DATES: readonly (readonly [number, number])[] = [
  [14, 22],
  [27, 36],
  [45, 45],
  [47, 47],
  [50, 58],
];
const BUILT_IN_DURATION = 46;

/** Excel itself stops at 65,490. */
const STYLE_LIMIT = 100_000;
const CODE_LIMIT = 1000;

const DAY_MS = 86_400_000;
/** 9999-12-31, the last date that a spreadsheet shows. */
const LAST_SERIAL = 2_958_466;
const LEAP_BUG_SERIAL = 60;

/** The kind of a number by the index of its cell's style. @throws bad-format */
export async function readStyles(file: string, part: ArchiveEntry | undefined): Promise<readonly NumberKind[]> {
  if (part === undefined) return [];
  const kinds = new Map<number, NumberKind>();
  const ids: number[] = [];
  let isCellStyles = false;
  await parseXml(file, part, {
    open(name, attributes) {
      if (name === 'cellXfs') isCellStyles = true;
      else if (name === 'numFmt' && kinds.size < STYLE_LIMIT) {
        kinds.set(Number(attributes['numFmtId']), kindOfCode(attributes['formatCode'] ?? ''));
      } else if (name === 'xf' && isCellStyles && ids.length < STYLE_LIMIT) {
        ids.push(Number(attributes['numFmtId'] ?? 0));
      }
    },
    close(name) {
      if (name === 'cellXfs') isCellStyles = false;
    },
    text: () => undefined,
  });
  return ids.map((id) => kinds.get(id) ?? builtInKind(id));
}

function builtInKind(id: number): NumberKind {
  if (id === BUILT_IN_DURATION) return 'duration';
  return BUILT_IN_DATES.some(([from, to]) => id >= from && id <= to) ? 'date' : 'number';
}

/** What a format code shows. */
export function kindOfCode(code: string): NumberKind {
  if (code.length > CODE_LIMIT) return 'number';
  const [positive = ''] = code.replaceAll(/"[^"]*"|[\\_*]./gsu, '').split(';');
  if (/\[(?:h+|m+|s+)\]/iu.test(positive)) return 'duration';
  return /[ymdhs]/iu.test(positive.replaceAll(/\[[^\]]*\]|general/giu, '')) ? 'date' : 'number';
}

/** A number as people write it, or a date as ISO 8601 has it: `2024-03-01`, `2024-03-01T12:30:00`, `12:30:00`. */
export function formatNumber(value: number, kind: NumberKind, is1904: boolean): string {
  if (kind === 'duration' && value >= 0 && value < LAST_SERIAL) {
    const seconds = Math.round(value * 86_400);
    return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }
  if (kind === 'date' && value >= 0 && value < LAST_SERIAL) return formatDate(value, is1904);
  return String(value === 0 ? 0 : value);
}

function formatDate(serial: number, is1904: boolean): string {
  const ms = Math.round(serial * DAY_MS);
  const day = Math.floor(ms / DAY_MS);
  const time = new Date(ms % DAY_MS).toISOString().slice(11, 23).replace('.000', '');
  if (day === 0) return time;
  if (!is1904 && day === LEAP_BUG_SERIAL) return withTime('1900-02-29', time);
  const start = is1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, day < LEAP_BUG_SERIAL ? 31 : 30);
  return withTime(new Date(start + day * DAY_MS).toISOString().slice(0, 10), time);
}

function withTime(date: string, time: string): string {
  return time === '00:00:00' ? date : `${date}T${time}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
