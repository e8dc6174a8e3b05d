/**
 * The public library: re-exports only.
 *
 * A Repository is an open working copy; every function that a person can ask for on the command line takes one. What
 * comes from outside (time, chance, the environment) is passed in when it is opened.
 */
export { UttrError, isUttrError, EXIT_CODES } from './base/errors.ts';
export type { ErrorCode, ErrorKind } from './base/errors.ts';
export type { Clock, Progress, Random } from './base/ports.ts';

export { makeRecord } from './records/make-record.ts';
export type { LooseRecord, MadeRecord } from './records/make-record.ts';
export { fold, norm } from './records/text.ts';
export { recordKey } from './records/key.ts';
export type { Entity, FeatureValue, UtteranceRecord } from './records/record.ts';
export type { Manifest } from './records/manifest.ts';

export { Repository } from './repo/repository.ts';
export type { Surroundings } from './repo/repository.ts';
export { init } from './repo/init.ts';
export type { InitSummary } from './repo/init.ts';
export { add } from './repo/add.ts';
export type { AddOptions } from './repo/add-options.ts';
export type { AddSummary } from './repo/add-summary.ts';
export type { BatchSource } from './repo/input.ts';
export { relabelRecords, removeRecords } from './repo/edit-records.ts';
export type { EditSummary, Selection } from './repo/edit-records.ts';
export { commit } from './repo/commit.ts';
export type { CommitOptions, CommitSummary } from './repo/commit.ts';
export { reset, status } from './repo/status.ts';
export type { Status } from './repo/status.ts';
export { headVersion, parseTarget, resolveVersion } from './repo/versions.ts';
export type { Target, Version } from './repo/versions.ts';
export { log, show } from './repo/log.ts';
export type { LogEntry, ShownVersion } from './repo/log.ts';
export { betweenVersions, diffStream, diffVersions } from './repo/diff.ts';
export type { DiffChange, DiffFilter, DiffSummary } from './repo/diff.ts';
export { findRecords, sampleRecords, versionStats } from './repo/query.ts';
export type { FoundRecord, RecordFilter, VersionStats } from './repo/query.ts';
export { blame } from './repo/blame.ts';
export type { Blame } from './repo/blame.ts';
export { exportVersion } from './repo/export.ts';
export type { ExportOptions, ExportSummary } from './repo/export.ts';
export { addRemote, removeRemote } from './repo/remotes.ts';
export { push } from './repo/push.ts';
export type { TransferSummary } from './repo/push.ts';
export { pull } from './repo/pull.ts';
export type { PullOptions, PullSummary } from './repo/pull.ts';
export { mergeVersions, settleMerge } from './repo/merge-state.ts';
export type { Decision, MergeSummary } from './repo/merge-state.ts';
export { addTag, listTags, removeTag } from './repo/tags.ts';
export { fsck, fsckRemote } from './repo/fsck.ts';
export type { FsckReport } from './repo/fsck.ts';
export { deliverEvents } from './repo/deliver.ts';
export type { DeliverySettings } from './repo/deliver.ts';
