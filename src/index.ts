/** The public library: re-exports only. */
export { UttrError, isUttrError, EXIT_CODES } from './base/errors.ts';
export type { ErrorCode, ErrorKind } from './base/errors.ts';
export type { Entity, FeatureValue, UtteranceRecord } from './records/record.ts';
