/**
 * What stands between a staged batch and a version: the checks whose findings are errors.
 *
 * A commit looks at what it changes, as add --dry-run does. Errors that somebody lets pass are named in the manifest.
 */
import { UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import { CHECKS } from '../checks/registry.ts';
import type { Finding } from '../checks/run.ts';
import type { CheckSettings } from '../checks/settings.ts';
import { checkStagedChange, type StagedChange } from './check-staged.ts';
import type { Repository } from './repository.ts';
import { findNeighbours } from './similar-texts.ts';

/** Findings that an error lists. */
const LISTED_FINDINGS = 20;

/**
 * @param allow names of checks whose errors do not stop the commit.
 * @returns those of them that had errors.
 * @throws check-failed, bad-option
 */
export async function passChecks(
  repository: Repository,
  change: StagedChange,
  settings: CheckSettings,
  allow: readonly string[],
): Promise<readonly string[]> {
  const known = CHECKS.map(({ name }) => name);
  const unknown = allow.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UttrError('bad-option', `there is no check "${unknown}"`, { hint: hintFor(unknown, known, 'checks') });
  }
  const { findings } = await checkStagedChange(change, {
    settings,
    neighbours: findNeighbours(repository, change.parent),
    chunks: repository.chunks,
    today: repository.clock.now().toISOString().slice(0, 10),
    stoppingOnly: true,
  });
  const errors = findings.filter(({ severity, waived }) => severity === 'error' && waived === null);
  const refused = errors.filter(({ check }) => !allow.includes(check));
  if (refused.length > 0) throw refusal(refused);
  return [...new Set(errors.map(({ check }) => check))].sort();
}

function refusal(errors: readonly Finding[]): UttrError {
  const checks = [...new Set(errors.map(({ check }) => check))];
  const [first] = errors as [Finding];
  const more = errors.length === 1 ? '' : `, and ${errors.length - 1} more`;
  return new UttrError('check-failed', `${first.message} (${first.check})${more}; nothing was committed`, {
    hint: `${first.hint}; or let it pass, which the version records: ${checks.map((check) => `--allow ${check}`).join(' ')}`,
    details: {
      checks,
      errors: errors.length,
      findings: errors.slice(0, LISTED_FINDINGS).map(({ id, check, message, hint }) => ({ id, check, message, hint })),
    },
  });
}
