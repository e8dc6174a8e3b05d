/**
 * Records as canonical JSON (RFC 8785, one line), and back.
 *
 * R11  encodeRecord gives the bytes that canonicalJson gives.
 * R12  decodeRecord(encodeRecord(r)) equals r; what is no canonical record is refused as bad-chunk.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import type { UtteranceRecord } from './record.ts';

/** Prints a record in its one canonical form. */
export function encodeRecord(record: UtteranceRecord): string {
  return canonicalJson(record as unknown as JsonValue);
}
