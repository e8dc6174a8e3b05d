/** Sections 2 to 4 of docs/format.md, written from the page: canonical JSON, norm, fold, keys. */
import { createHash } from 'node:crypto';
import { APOSTROPHES, WHITESPACE } from './page.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface StoredRecord {
  readonly text: string;
  readonly [field: string]: Json;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value as Record<string, Json>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(',')}}`;
}

const trimBlank = (text: string): string => text.replace(/^ /u, '').replace(/ $/u, '');

export function norm(text: string): string {
  const tidy = Array.from(text.normalize('NFKC'))
    .map((char) => (WHITESPACE.includes(char) ? ' ' : char))
    .join('');
  return trimBlank(tidy.replace(/ +/gu, ' ')).toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}

export function fold(text: string): string {
  const normed = norm(text);
  const bare = Array.from(normed.replaceAll(' \u0301', ''))
    .filter((char) => !APOSTROPHES.includes(char))
    .join('');
  return trimBlank(bare.replace(/[\p{P}\p{S} ]+/gu, ' ')) || normed;
}

function shorten(column: string): string {
  if (Buffer.byteLength(column) <= 400) return column;
  let head = '';
  for (const char of column) {
    if (Buffer.byteLength(head + char) > 400) break;
    head += char;
  }
  return `${head}\u001f${sha256(column)}`;
}

/** The value of `intent`, `lang`, `id` or `features.<name>`. */
export function fieldOf(record: StoredRecord, name: string): Json | undefined {
  if (!name.startsWith('features.')) return record[name];
  return (record['features'] as Record<string, Json> | undefined)?.[name.slice('features.'.length)];
}

export function keyOf(record: StoredRecord, identity: readonly string[]): string {
  const normed = norm(record.text);
  const folded = fold(record.text);
  const columns = [shorten(folded), normed === folded ? '' : shorten(normed)];
  if (identity.length > 0) {
    const fields = identity.map((name) => [name, fieldOf(record, name)]).filter(([, value]) => value !== undefined);
    columns.push(shorten(canonical(Object.fromEntries(fields) as Record<string, Json>)));
  }
  return columns.join('\t');
}
